package pacs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// benchRig is start without the arrival channel, which a long run would fill.
func benchRig(b *testing.B) *rig {
	b.Helper()
	r := &rig{path: filepath.Join(b.TempDir(), "store"), log: &syncBuffer{}}
	var err error
	if r.dir, err = OpenDir(r.path, nil); err != nil {
		b.Fatal(err)
	}
	r.serve(b, Config{}, r.dir)
	return r
}

// BenchmarkStore sends 100 CT slices of 512² per iteration from Store to a
// Node with a Dir, everything synced to disk before it is acknowledged. Each
// iteration starts with an empty series folder, so that no slice is a
// duplicate.
func BenchmarkStore(b *testing.B) { benchmark(b, 512) }

// BenchmarkStoreSmall is BenchmarkStore with slices of 64², where the cost per
// file dominates.
func BenchmarkStoreSmall(b *testing.B) { benchmark(b, 64) }

func benchmark(b *testing.B, side int) {
	const n = 100
	r := benchRig(b)
	files := writeSeries(b, b.TempDir(), "1.2.3.4.100", n, side)
	for b.Loop() {
		b.StopTimer()
		if err := os.RemoveAll(filepath.Join(r.path, testStudy)); err != nil {
			b.Fatal(err)
		}
		r.dir.mu.Lock()
		clear(r.dir.known)
		r.dir.mu.Unlock()
		b.StartTimer()
		if _, err := Store(context.Background(), r.addr, storeAE, files, nil); err != nil {
			b.Fatal(err)
		}
	}
	perFile := b.Elapsed().Seconds() / float64(b.N*n)
	b.ReportMetric(1/perFile, "files/s")
}

// BenchmarkStoreSCU sends the same slices with dcmtk's storescu, start-up of
// that program included.
func BenchmarkStoreSCU(b *testing.B) {
	const n = 100
	r := benchRig(b)
	in := b.TempDir()
	writeSeries(b, in, "1.2.3.4.101", n, 512)
	for b.Loop() {
		b.StopTimer()
		if err := os.RemoveAll(filepath.Join(r.path, testStudy)); err != nil {
			b.Fatal(err)
		}
		r.dir.mu.Lock()
		clear(r.dir.known)
		r.dir.mu.Unlock()
		b.StartTimer()
		mustTool(b, "storescu", "-R", "-aec", "HALSTED", "127.0.0.1", r.port, "+sd", in)
	}
	perFile := b.Elapsed().Seconds() / float64(b.N*n)
	b.ReportMetric(1/perFile, "files/s")
}

// BenchmarkReadKeys measures what looking for the series UID costs per file.
func BenchmarkReadKeys(b *testing.B) {
	data := ctData(testStudy, "1.2.3.4.102", "1.2.3.4.102.1", 1, 64)
	r := &sliceReader{}
	for b.Loop() {
		r.b = data
		k, err := readKeys(r, ExplicitVRLittleEndian)
		if err != nil || k.series == "" {
			b.Fatal(fmt.Sprint(k, err))
		}
	}
}

type sliceReader struct{ b []byte }

func (r *sliceReader) Read(p []byte) (int, error) {
	n := copy(p, r.b)
	r.b = r.b[n:]
	return n, nil
}
