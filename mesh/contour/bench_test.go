package contour

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// peerDir holds the volumes that the mesh peers were measured on, with their
// analytic truth; HALSTED_PEERS names another folder.
func peerDir() string {
	if d := os.Getenv("HALSTED_PEERS"); d != "" {
		return d
	}
	return "/tmp/peers"
}

// peer reads one of the peers' volumes, or skips.
func peer(tb testing.TB, name string) (*imaging.Labels, *peerScene) {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(peerDir(), name+".json"))
	if err != nil {
		tb.Skipf("no %s: set HALSTED_PEERS to the folder of the peers' volumes", name)
	}
	var s peerScene
	if err := json.Unmarshal(data, &s); err != nil {
		tb.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(peerDir(), name+".raw"))
	if err != nil {
		tb.Skip(err)
	}
	l := &imaging.Labels{Grid: imaging.NewGrid(s.Dims, r3.Vec{}, s.Sp), ID: make([]imaging.Label, len(raw))}
	for i, x := range raw {
		l.ID[i] = imaging.Label(x)
	}
	return l, &s
}

func cpuSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

// measure runs f on one core and reports the CPU seconds of the best run, the
// collector's included, and of the median one.
func measure(b *testing.B, f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var took []float64
	for b.Loop() {
		start := cpuSeconds()
		f()
		took = append(took, cpuSeconds()-start)
	}
	slices.Sort(took)
	b.ReportMetric(took[0], "best-cpu-s")
	b.ReportMetric(took[len(took)/2], "median-cpu-s")
}

func benchNet(b *testing.B, l *imaging.Labels) {
	measure(b, func() {
		if _, err := NewNet(context.Background(), l, Options{}); err != nil {
			b.Fatal(err)
		}
	})
}

func benchSmooth(b *testing.B, l *imaging.Labels) {
	n, err := NewNet(context.Background(), l, Options{})
	if err != nil {
		b.Fatal(err)
	}
	pos := slices.Clone(n.Pos)
	measure(b, func() {
		copy(n.Pos, pos)
		if err := n.Smooth(context.Background(), 20); err != nil {
			b.Fatal(err)
		}
	})
}

func benchRestore(b *testing.B, l *imaging.Labels) {
	n, err := NewNet(context.Background(), l, Options{})
	if err == nil {
		err = n.Smooth(context.Background(), 20)
	}
	if err != nil {
		b.Fatal(err)
	}
	pos := slices.Clone(n.Pos)
	measure(b, func() {
		copy(n.Pos, pos)
		if err := n.Restore(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}

func benchSurface(b *testing.B, l *imaging.Labels) {
	n, err := NewNet(context.Background(), l, Options{})
	if err != nil {
		b.Fatal(err)
	}
	measure(b, func() { n.Surface() })
}

func benchAll(b *testing.B, f func(b *testing.B, l *imaging.Labels)) {
	b.Run("balls", func(b *testing.B) { f(b, ballLabels(192, 80)) })
	for _, name := range []string{"s256", "s512"} {
		b.Run(name, func(b *testing.B) {
			l, _ := peer(b, name)
			f(b, l)
		})
	}
}

func BenchmarkNewNet(b *testing.B)  { benchAll(b, benchNet) }
func BenchmarkSmooth(b *testing.B)  { benchAll(b, benchSmooth) }
func BenchmarkRestore(b *testing.B) { benchAll(b, benchRestore) }
func BenchmarkSurface(b *testing.B) { benchAll(b, benchSurface) }

func BenchmarkExtract(b *testing.B) {
	benchAll(b, func(b *testing.B, l *imaging.Labels) {
		measure(b, func() {
			if _, err := Extract(context.Background(), l, Options{SmoothPasses: 20}); err != nil {
				b.Fatal(err)
			}
		})
	})
}
