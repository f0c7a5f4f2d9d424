package cut

import (
	"context"
	"math"

	"halsted/mesh"
)

// connect numbers the parts of m in order of their first tetrahedron. side is
// known of the tetrahedra in row; a part without one is on the side of its
// first node.
func (r *Result) connect(ctx context.Context, m *mesh.TetMesh, f field, row []int32, side []Side) error {
	root := make([]int32, len(m.Nodes))
	for n := range root {
		root[n] = int32(n)
	}
	find := func(n int32) int32 {
		for root[n] != n {
			root[n] = root[root[n]]
			n = root[n]
		}
		return n
	}
	for t, v := range m.Tets {
		if t&0xfffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		a := find(v[0])
		for _, n := range v[1:] {
			if b := find(n); a < b {
				root[b] = a
			} else {
				root[a] = b
				a = b
			}
		}
	}
	part := make([]int32, len(m.Nodes)) // of roots, + 1
	r.Part = make([]int32, len(m.Tets))
	var first []int32
	var volume []sum
	var total [2]sum
	rep := &r.Report
	for t, v := range m.Tets {
		if t&0xfffff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		a := find(v[0])
		if part[a] == 0 {
			rep.Parts = append(rep.Parts, Part{})
			first = append(first, v[0])
			volume = append(volume, sum{})
			part[a] = int32(len(rep.Parts))
		}
		i := part[a] - 1
		r.Part[t] = i
		q := &rep.Parts[i]
		q.Tets++
		volume[i].add(mesh.Signed6(m.Nodes[v[0]], m.Nodes[v[1]], m.Nodes[v[2]], m.Nodes[v[3]]))
	}
	seen := make([]uint8, len(rep.Parts))
	for i, t := range row {
		switch side[i] {
		case Minus:
			seen[r.Part[t]] |= 1
		case Plus:
			seen[r.Part[t]] |= 2
		}
	}
	for i := range rep.Parts {
		q := &rep.Parts[i]
		q.VolumeMM3 = volume[i].value() / 6
		switch seen[i] {
		case 1:
			q.Side = Minus
		case 2:
			q.Side = Plus
		case 3:
			q.Side = Both
		default:
			if q.Side = Minus; f.at(m.Nodes[first[i]]).dist > 0 {
				q.Side = Plus
			}
		}
		switch q.Side {
		case Minus:
			total[0].add(q.VolumeMM3)
		case Plus:
			total[1].add(q.VolumeMM3)
		}
	}
	rep.VolumeMM3 = [2]float64{total[0].value(), total[1].value()}
	return ctx.Err()
}

// sum adds with the rounding errors carried along, so that the volumes of two
// sides add up to that of the whole (A. Neumaier, ZAMM 54 (1974) 39–51).
type sum struct{ s, c float64 }

func (a *sum) add(x float64) {
	t := a.s + x
	if math.Abs(a.s) >= math.Abs(x) {
		a.c += (a.s - t) + x
	} else {
		a.c += (x - t) + a.s
	}
	a.s = t
}

func (a *sum) value() float64 { return a.s + a.c }
