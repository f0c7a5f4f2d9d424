package service

import (
	"testing"

	pb "halsted/proto/halsted/v1"
)

// BenchmarkWatchSealed streams the sealed frames of a run over loopback.
func BenchmarkWatchSealed(b *testing.B) {
	const side, n = 224, 10 // 50 176 vertices
	r := newRig(b, b.TempDir(), bender(side, n, nil))
	run := r.run(b, r.plan(b), "a")
	r.watchAll(b, run)
	for name, enc := range map[string]*pb.Encoding{
		"u16":    {},
		"u16+s2": {Compression: pb.Compression_COMPRESSION_S2},
		"f32":    {Position: pb.PositionFormat_POSITION_FORMAT_FLOAT32, Field: pb.FieldFormat_FIELD_FORMAT_FLOAT32},
	} {
		b.Run(name, func(b *testing.B) {
			var bytes int
			for b.Loop() {
				s, err := watch(testContext(b), r.conn, &pb.WatchFramesRequest{Run: run, Accept: []*pb.Encoding{enc}}, nil)
				if err != nil || len(s.frames) != n {
					b.Fatal(len(s.frames), err)
				}
				bytes = len(s.frames[0].Payload)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n/1000, "ms/frame")
			b.ReportMetric(float64(bytes)/(side*side), "B/vertex")
		})
	}
}
