package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// A dump is how the peers' drivers hand over a mesh: int64 nodes, int64 tets,
// float64 x y z per node (mm), int32 × 4 per tet, int32 label per tet; all
// little-endian.

// readDump reads a dump. Tets are turned so that their volume is positive.
func readDump(path string) (*mesh.TetMesh, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if len(b) < 16 {
		return nil, fmt.Errorf("%s: no dump of a mesh", path)
	}
	nodes, tets := int(le.Uint64(b)), int(le.Uint64(b[8:]))
	if nodes < 0 || tets < 0 || nodes > 1<<28 || tets > 1<<28 || len(b) != 16+24*nodes+20*tets {
		return nil, fmt.Errorf("%s: %d bytes do not hold %d nodes and %d tets", path, len(b), nodes, tets)
	}
	m := &mesh.TetMesh{Nodes: make([]r3.Vec, nodes), Tets: make([][4]int32, tets), Region: make([]imaging.Label, tets)}
	b = b[16:]
	for n := range m.Nodes {
		at := func(i int) float64 { return math.Float64frombits(le.Uint64(b[24*n+8*i:])) }
		m.Nodes[n] = r3.Vec{X: at(0), Y: at(1), Z: at(2)}
	}
	b = b[24*nodes:]
	for t := range m.Tets {
		v := &m.Tets[t]
		for i := range v {
			v[i] = int32(le.Uint32(b[16*t+4*i:]))
			if v[i] < 0 || int(v[i]) >= nodes {
				return nil, fmt.Errorf("%s: tet %d names node %d of %d", path, t, v[i], nodes)
			}
		}
		m.Region[t] = imaging.Label(le.Uint32(b[16*tets+4*t:]))
	}
	for t := range m.Tets {
		if v := &m.Tets[t]; mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]) < 0 {
			v[0], v[1] = v[1], v[0]
		}
	}
	return m, nil
}

// writeDump writes a dump.
func writeDump(path string, m *mesh.TetMesh) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	var b [8]byte
	le := binary.LittleEndian
	put64 := func(x uint64) { le.PutUint64(b[:], x); _, _ = w.Write(b[:]) }
	put32 := func(x int32) { le.PutUint32(b[:], uint32(x)); _, _ = w.Write(b[:4]) }
	put64(uint64(len(m.Nodes)))
	put64(uint64(len(m.Tets)))
	for _, p := range m.Nodes {
		put64(math.Float64bits(p.X))
		put64(math.Float64bits(p.Y))
		put64(math.Float64bits(p.Z))
	}
	for _, v := range m.Tets {
		for _, n := range v {
			put32(n)
		}
	}
	for _, l := range m.Region {
		put32(int32(l))
	}
	if err := w.Flush(); err != nil { // holds the first error of all writes
		_ = f.Close()
		return err
	}
	return f.Close()
}

// readLabels reads one byte per voxel, i fastest, without a second copy.
func readLabels(path string, g imaging.Grid) (*imaging.Labels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &imaging.Labels{Grid: g, ID: make([]imaging.Label, g.Len())}
	var buf [1 << 16]byte
	for n := 0; n < len(l.ID); {
		k, err := io.ReadFull(f, buf[:min(len(buf), len(l.ID)-n)])
		for i, b := range buf[:k] {
			l.ID[n+i] = imaging.Label(b)
		}
		if n += k; err != nil {
			return nil, fmt.Errorf("%s: %d voxels are missing: %w", path, len(l.ID)-n, err)
		}
	}
	return l, nil
}
