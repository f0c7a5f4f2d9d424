package verify

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// Every case holds on its small mesh.
func TestCases(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			r, err := Run(context.Background(), []Case{c}, Quick, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := WriteText(&b, &r[0]); err != nil {
				t.Fatal(err)
			}
			t.Log("\n" + b.String())
			if !r[0].Holds() {
				t.Error("does not hold")
			}
		})
	}
}

// Names are unique, groups known, sources tagged.
func TestCasesAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Cases() {
		tagged := strings.HasPrefix(c.Source, "[C]") || strings.HasPrefix(c.Source, "[R]") || strings.HasPrefix(c.Source, "[M]")
		if seen[c.Name] || c.Name == "" || strings.ContainsAny(c.Name, " _") || strings.ToLower(c.Name) != c.Name || !slices.Contains(groupOrder, c.Group) || c.Title == "" || c.Text == "" || !tagged {
			t.Errorf("case %+v", c)
		}
		seen[c.Name] = true
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		r    Row
		want bool
	}{
		{relative("", "", "", 1.0009, 1, 1e-3), true}, {relative("", "", "", 1.0011, 1, 1e-3), false}, {relative("", "", "", -0.9995, -1, 1e-3), true},
		{absolute("", "", "", 2.95, 3, 0.1), true}, {absolute("", "", "", 2.85, 3, 0.1), false}, {bound("", "", "", 1e-13, 1e-12), true},
		{relative("", "", "", math.NaN(), 1, 1), false}, {absolute("", "", "", math.NaN(), 1, 1), false}, {shown("", "", "", 5, 1), true},
	} {
		if c.r.Holds != c.want {
			t.Errorf("%+v", c.r)
		}
	}
	rows := []Row{shown("q", "", "", 1.4, 1).at(4), shown("q", "", "", 1.1, 1).at(2), shown("q", "", "", 1.025, 1).at(1)}
	if r := rateOf(rows); math.Abs(r-2) > 1e-12 {
		t.Errorf("rate %v, want 2", r)
	}
	if rows = judged(rows, 0.02); rows[2].Holds || rows[2].Tolerance != 0.02 || !rows[1].Holds {
		t.Errorf("%+v", rows)
	}
}

// A case that fails, or gives no numbers, does not hold; a cancelled run ends.
func TestRunFailures(t *testing.T) {
	fails := Case{Name: "fails", Run: func(context.Context, Level) ([]Row, error) { return nil, errors.New("broken") }}
	nan := Case{Name: "nan", Run: func(context.Context, Level) ([]Row, error) {
		return []Row{shown("", "", "", 1, 1), absolute("q", "", "", math.NaN(), 1, 1)}, nil
	}}
	nothing := Case{Name: "nothing", Run: func(context.Context, Level) ([]Row, error) { return []Row{shown("", "", "", 1, 1)}, nil }}
	r, err := Run(context.Background(), []Case{fails, nan, nothing}, Quick, nil, nil)
	if err != nil || len(r) != 3 {
		t.Fatal(r, err)
	}
	for _, x := range r {
		if x.Holds() || x.Failure == "" {
			t.Errorf("%+v", x)
		}
	}
	text, _ := Document(r, "images")
	if !strings.Contains(text, "broken") || !strings.Contains(text, "do not hold") {
		t.Error(text)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stops := Case{Name: "stops", Run: func(context.Context, Level) ([]Row, error) { cancel(); return nil, ctx.Err() }}
	if r, err := Run(ctx, []Case{nothing, stops, nothing}, Quick, nil, nil); !errors.Is(err, context.Canceled) || len(r) != 1 {
		t.Errorf("%d results, %v", len(r), err)
	}
}
