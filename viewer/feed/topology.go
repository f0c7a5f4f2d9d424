package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"

	"halsted/imaging"
	"halsted/proto/frame"
	pb "halsted/proto/halsted/v1"
	"halsted/viewer/scene"

	"gonum.org/v1/gonum/spatial/r3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Bounds on what a server may make the viewer hold.
const (
	maxTopologyBytes = 1 << 30
	maxStructures    = 1024
	maxMessageBytes  = 256 << 20
)

// surface is a received topology: the bodies, and for each vertex of the scene
// the vertex of the wire (nil when they are the same).
type surface struct {
	hash   string
	bodies []scene.Body
	verts  int // on the wire
	gather []int32
}

// badReply is a reply that breaks the protocol; asking again will not help.
type badReply struct{ what string }

func (e *badReply) Error() string { return "feed: the server's reply makes no sense: " + e.what }

func bad(format string, a ...any) error { return &badReply{fmt.Sprintf(format, a...)} }

// fetch receives the serialised topology from offset len(got) on. It returns
// what it has so far also with an error, so that a second try can go on.
func fetch(ctx context.Context, client pb.FrameServiceClient, run, hash string, got []byte) ([]byte, error) {
	stream, err := client.GetTopology(ctx, &pb.GetTopologyRequest{Parent: run, TopologyHash: hash, OffsetBytes: uint64(len(got))}, grpc.MaxCallRecvMsgSize(maxMessageBytes))
	if err != nil {
		return got, err
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			sum := sha256.Sum256(got)
			if hex.EncodeToString(sum[:]) != hash {
				return nil, bad("the surface has not the SHA-256 %s", hash)
			}
			return got, nil
		}
		if err != nil {
			return got, err
		}
		if m.TotalBytes > maxTopologyBytes || m.OffsetBytes != uint64(len(got)) || m.OffsetBytes+uint64(len(m.Chunk)) > m.TotalBytes {
			return nil, bad("a piece of %d bytes at %d of %d", len(m.Chunk), m.OffsetBytes, m.TotalBytes)
		}
		got = append(got, m.Chunk...)
	}
}

// parseTopology checks a serialised topology and splits it into bodies.
func parseTopology(hash string, data []byte) (*surface, error) {
	var t pb.Topology
	if err := proto.Unmarshal(data, &t); err != nil {
		return nil, bad("the surface is not a Topology message")
	}
	n := len(t.RestXyzMm) / 3
	if len(t.RestXyzMm)%3 != 0 || n > frame.MaxVertices || len(t.Structures) > maxStructures {
		return nil, bad("%d coordinates and %d structures", len(t.RestXyzMm), len(t.Structures))
	}
	for i, v := range t.RestXyzMm {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, bad("vertex %d is not finite", i/3)
		}
	}
	s := &surface{hash: hash, verts: n}
	var gather []int32
	same := true
	for _, st := range t.Structures {
		if uint64(st.FirstVertex)+uint64(st.VertexCount) > uint64(n) || len(st.TriangleIndices)%3 != 0 || len(gather)+int(st.VertexCount) > frame.MaxVertices {
			return nil, bad("structure %.80q: vertices %d+%d of %d, %d indices", st.Name, st.FirstVertex, st.VertexCount, n, len(st.TriangleIndices))
		}
		b := scene.Body{Name: st.Name, Label: parseLabel(st.Label.GetId()), Verts: make([]r3.Vec, st.VertexCount), Tris: make([][3]int32, len(st.TriangleIndices)/3)}
		for i := range b.Verts {
			j := int(st.FirstVertex) + i
			c := t.RestXyzMm[3*j : 3*j+3]
			b.Verts[i] = r3.Vec{X: c[0], Y: c[1], Z: c[2]}
			same = same && len(gather) == j
			gather = append(gather, int32(j))
		}
		for i, v := range st.TriangleIndices {
			if v < st.FirstVertex || v-st.FirstVertex >= st.VertexCount {
				return nil, bad("structure %.80q: triangle %d names vertex %d outside its range", st.Name, i/3, v)
			}
			b.Tris[i/3][i%3] = int32(v - st.FirstVertex)
		}
		s.bodies = append(s.bodies, b)
	}
	if !same || len(gather) != n {
		s.gather = gather
	}
	return s, nil
}

// parseLabel is the label of that short name; background for one this build
// does not know, which still is drawn.
func parseLabel(id string) imaging.Label {
	for n := range 256 {
		if l := imaging.Label(n); l.String() == id {
			return l
		}
	}
	return imaging.LabelBackground
}
