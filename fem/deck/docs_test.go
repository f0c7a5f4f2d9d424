package deck

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halsted/fem"

	"gonum.org/v1/gonum/spatial/r3"
)

// files is a file system in memory for Options.Open.
type files map[string]string

func (f files) open(name string) (io.ReadCloser, error) {
	s, ok := f[filepath.ToSlash(name)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(s)), nil
}

// block cuts the fenced block of a language out of a document.
func block(t *testing.T, doc []byte, language string) string {
	t.Helper()
	_, rest, ok := bytes.Cut(doc, []byte("```"+language+"\n"))
	text, _, end := bytes.Cut(rest, []byte("```"))
	if !ok || !end {
		t.Fatalf("no block of %s", language)
	}
	return string(text)
}

// The worked example of docs/solving.md gives the numbers printed there.
func TestWorkedExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/solving.md")
	if err != nil {
		t.Fatal(err)
	}
	f := files{"block.inp": block(t, doc, "inp"), "block.json": block(t, doc, "json")}
	m, s, rep, err := Read(t.Context(), "block.json", Options{Open: f.open})
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckUnits(m, &rep); err != nil {
		t.Error(err)
	}
	s.ResidualTol = 1e-10
	var umax, mises []float64
	_, err = fem.Solve(t.Context(), m, s, func(f *fem.Frame) error {
		u, v := 0.0, 0.0
		for n := range f.U {
			u, v = max(u, r3.Norm(f.U[n])), max(v, f.VonMisesMPa[n])
		}
		umax, mises = append(umax, u), append(mises, v)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := math.Sqrt(4 + 2*.81)
	for i, k := range []float64{0, 1, .5} {
		if i >= len(umax) || math.Abs(umax[i]-k*want) > 1e-8 || math.Abs(mises[i]-k*1e-3) > 1e-10 {
			t.Fatalf("frame %d: u %v mm, von Mises %v MPa, want %v of %v and 1e-3", i, umax, mises, k, want)
		}
	}
	for _, u := range umax[1:] {
		if printed := fmt.Sprintf("%.8g", u); !strings.Contains(string(doc), printed) {
			t.Errorf("docs/solving.md does not print %s", printed)
		}
	}
}
