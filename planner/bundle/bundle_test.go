package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"halsted/planner"
	"halsted/planner/uncertainty"
)

func manifest(seed uint64) Manifest {
	return Manifest{Procedure: "liver.resection", Case: planner.Case{ID: "c", Condition: "normal"}, Inputs: []Input{{"labels", "ab"}},
		RulePack: "liver.resection@2026.1", Settings: json.RawMessage(`{"shown":7}`), Seed: seed, Kernels: KernelSet{Program: "p", Go: "go1.26", Platform: "linux/amd64"}}
}

func sample(plan string, n int) uncertainty.Sample {
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	s := uncertainty.Sample{Plan: plan, Level: planner.L2, Index: n, X: []float64{rng.NormFloat64(), math.Nextafter(1, 2)}}
	for i := range 3 {
		s.Values = append(s.Values, planner.Value{ID: fmt.Sprint("v", i), V: rng.ExpFloat64() * 1e-7, Solution: &planner.Solution{Residual: 1e-9, MeshError: rng.Float64()}})
	}
	return s
}

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	b, err := Create(dir, manifest(1))
	if err != nil {
		panic(err)
	}
	if err := b.Keep(sample("a", 0)); err != nil {
		panic(err)
	}
	b.Close()
	b, err = Create(dir, manifest(1)) // the same run goes on
	if err != nil {
		panic(err)
	}
	defer b.Close()
	_, err = Create(dir, manifest(1))
	fmt.Println(b.Len(), "sample;", err)
	// Output: 1 sample; bundle: another process works on this run
}

// Every sample comes back bit for bit, in whatever order and from however many
// goroutines it was kept.
func TestSamplesComeBack(t *testing.T) {
	dir := t.TempDir()
	b, err := Create(dir, manifest(1))
	if err != nil {
		t.Fatal(err)
	}
	var w sync.WaitGroup
	for n := range 40 {
		w.Go(func() {
			if err := b.Keep(sample(fmt.Sprint("plan", n%3), n)); err != nil {
				t.Error(err)
			}
		})
	}
	w.Wait()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for n := range 40 {
		plan := fmt.Sprint("plan", n%3)
		if s, ok := b.Find(plan, planner.L2, n); !ok || !reflect.DeepEqual(s, sample(plan, n)) {
			t.Errorf("sample %d: %v", n, s)
		}
		if _, ok := b.Find(plan, planner.L0, n); ok {
			t.Errorf("sample %d stands for another level too", n)
		}
	}
}

// A run killed while it wrote loses the last line alone, wherever it is torn.
func TestATornLineIsDropped(t *testing.T) {
	dir := t.TempDir()
	b, err := Create(dir, manifest(1))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := b.Keep(sample("a", n)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	path := filepath.Join(dir, samplesFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndexByte(strings.TrimRight(string(whole), "\n"), '\n') + 1
	for cut := last; cut < len(whole); cut += 7 {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := Create(dir, manifest(1))
		if err != nil {
			t.Fatalf("torn at byte %d: %v", cut, err)
		}
		if b.Len() != 2 {
			t.Errorf("torn at byte %d: %d samples, want 2", cut, b.Len())
		}
		if err := b.Keep(sample("a", 2)); err != nil {
			t.Fatal(err)
		}
		b.Close()
		if again, _ := os.ReadFile(path); string(again) != string(whole) {
			t.Fatalf("torn at byte %d: the journal differs after going on", cut)
		}
	}
}

func TestDamageIsRefusedWithItsLine(t *testing.T) {
	dir := t.TempDir()
	b, err := Create(dir, manifest(1))
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := b.Keep(sample("a", n)); err != nil {
			t.Fatal(err)
		}
	}
	b.Close()
	path := filepath.Join(dir, samplesFile)
	whole, _ := os.ReadFile(path)
	broken := []byte(string(whole))
	second := strings.IndexByte(string(whole), '\n') + 1
	broken[second+40] ^= 1
	if err := os.WriteFile(path, broken, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Create(dir, manifest(1))
	if d, ok := errors.AsType[*DamagedError](err); !ok || d.Line != 2 || d.File != samplesFile {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, manifestFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = Create(dir, manifest(1)); err == nil {
		t.Error("half a manifest passed")
	}
	if err := os.Remove(filepath.Join(dir, manifestFile)); err != nil {
		t.Fatal(err)
	}
	if _, err = Create(dir, manifest(1)); err == nil {
		t.Error("samples without a manifest were taken over")
	}
}

func TestAnotherRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	b, err := Create(dir, manifest(1))
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	other := manifest(1)
	other.Kernels.Program = "q"
	for what, m := range map[string]Manifest{"seed": manifest(2), "kernel_set.program": other} {
		_, err := Create(dir, m)
		if _, ok := errors.AsType[*OtherRunError](err); !ok || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
}

func TestResultIsWholeOrNotThere(t *testing.T) {
	b, err := Create(t.TempDir(), manifest(1))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Result(); !errors.Is(err, ErrNotFinished) {
		t.Errorf("got %v", err)
	}
	if err := b.Finish(map[string]float64{"x": 0.1}); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Result(); err != nil || string(r) != `{"x":0.1}` {
		t.Errorf("result %s, %v", r, err)
	}
	if b.Finish(math.NaN()) == nil {
		t.Error("NaN was written")
	}
}

func TestDifferencesNameThePlace(t *testing.T) {
	for _, c := range []struct{ was, is, want string }{
		{`{"a":1}`, `{"a":1}`, "[]"},
		{`{"a":1}`, `{ "a": 1 }`, "[]"},
		{`{"a":1}`, `{"a":1.0}`, "[{a 1 1.0}]"},
		{`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":3}]}`, "[{a[1].b 2 3}]"},
		{`{"a":[1]}`, `{"a":[1,2]}`, "[{a[1]  2}]"},
		{`{"a":1,"b":null}`, `{"a":1}`, "[{b null }]"},
		{`{"a":1}`, `{"a":{"c":1}}`, `[{a 1 {"c":1}}]`},
		{`[0,1,2]`, `[3,4,5]`, "[{[0] 0 3} {[1] 1 4}]"},
		{`x`, `{}`, "[{the whole text 1 bytes 2 bytes}]"},
	} {
		if got := fmt.Sprint(Differences([]byte(c.was), []byte(c.is), 2)); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.was, c.is, got, c.want)
		}
	}
}

func TestTheKernelSetNamesTheProgram(t *testing.T) {
	k, err := ThisProgram()
	if err != nil || len(k.Program) != 64 || k.Go == "" || k.Platform == "" {
		t.Errorf("%+v, %v", k, err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`00000000 {}`))
	f.Add([]byte(`ffffffff {"plan":"a"}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parseLine(b) })
}

func FuzzDifferences(f *testing.F) {
	f.Add([]byte(`{"a":[1,2]}`), []byte(`{"a":[1]}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		d, e := Differences(a, b, 5), Differences(b, a, 5)
		if len(d) != len(e) {
			t.Errorf("%d differences one way, %d the other", len(d), len(e))
		}
	})
}
