package remesh

import (
	"context"
	"math"

	"gonum.org/v1/gonum/spatial/r3"
)

const (
	// lengthShare is the share of the squared length in the cost of a removal.
	lengthShare = 1e-3
	// lineWeight weighs the planes that hold a feature line, in areas of the
	// square over the edge.
	lineWeight = 2
	// maxTurnCos: no face turns by more than 75° from where it was.
	maxTurnCos = 0.26
	// roughShare: a surface is rough when one face in this many has an angle
	// under the bound.
	roughShare = 200
)

// quadric is Σ weight·(distance to a plane)² around a vertex, as a function of
// the offset d from that vertex: dᵀA d + 2 bᵀd + c (Garland and Heckbert 1997,
// section 5). Offsets instead of coordinates keep the cancellation small enough
// for float32. w is the sum of weights.
type quadric struct{ xx, xy, xz, yy, yz, zz, bx, by, bz, c, w float32 }

// at is the sum at offset (x, y, z).
func (q *quadric) at(x, y, z float32) float32 {
	return x*(q.xx*x+2*(q.xy*y+q.xz*z+q.bx)) + y*(q.yy*y+2*(q.yz*z+q.by)) + z*(q.zz*z+2*q.bz) + q.c
}

// share is what makes the sum a mean: 1/w, or 0 for faces without area.
func (q *quadric) share() float32 {
	if q.w == 0 {
		return 0
	}
	return 1 / q.w
}

// plane adds a plane through the vertex with normal (x, y, z)·√f and weight w.
func (q *quadric) plane(x, y, z, f, w float32) {
	fx, fy := f*x, f*y
	q.xx += fx * x
	q.xy += fx * y
	q.xz += fx * z
	q.yy += fy * y
	q.yz += fy * z
	q.zz += f * z * z
	q.w += w
}

// move takes the vertex by d.
func (q *quadric) move(d r3.Vec) {
	x, y, z := float32(d.X), float32(d.Y), float32(d.Z)
	q.c = q.at(x, y, z)
	q.bx += q.xx*x + q.xy*y + q.xz*z
	q.by += q.xy*x + q.yy*y + q.yz*z
	q.bz += q.xz*x + q.yz*y + q.zz*z
}

// add adds o, whose vertex lies at −d from that of q.
func (q *quadric) add(o *quadric, d r3.Vec) {
	x, y, z := float32(d.X), float32(d.Y), float32(d.Z)
	ax := o.xx*x + o.xy*y + o.xz*z
	ay := o.xy*x + o.yy*y + o.yz*z
	az := o.xz*x + o.yz*y + o.zz*z
	q.c += x*(ax+2*o.bx) + y*(ay+2*o.by) + z*(az+2*o.bz) + o.c
	q.bx += ax + o.bx
	q.by += ay + o.by
	q.bz += az + o.bz
	q.xx += o.xx
	q.xy += o.xy
	q.xz += o.xz
	q.yy += o.yy
	q.yz += o.yz
	q.zz += o.zz
	q.w += o.w
}

// best is the offset at which the sum is least, drawn towards the vertex by a
// spring of share·w so that it exists on flat and straight surroundings.
func (q *quadric) best(share float64) r3.Vec {
	s := share * float64(q.w)
	xx, yy, zz := float64(q.xx)+s, float64(q.yy)+s, float64(q.zz)+s
	xy, xz, yz := float64(q.xy), float64(q.xz), float64(q.yz)
	// Cramer's rule: the matrix is symmetric and positive definite
	cx, cy, cz := yy*zz-yz*yz, xz*yz-xy*zz, xy*yz-xz*yy
	det := xx*cx + xy*cy + xz*cz
	if !(det > 0) {
		return r3.Vec{}
	}
	bx, by, bz := -float64(q.bx)/det, -float64(q.by)/det, -float64(q.bz)/det
	return r3.Vec{
		X: cx*bx + cy*by + cz*bz,
		Y: cy*bx + (xx*zz-xz*xz)*by + (xy*xz-xx*yz)*bz,
		Z: cz*bx + (xy*xz-xx*yz)*by + (xx*yy-xy*xy)*bz,
	}
}

// quadrics sets the quadric of every vertex: the planes of its faces, weighted
// by area, and for each face at a feature edge the plane through that edge
// across the face, which holds feature lines in place (section 6 there). bound
// is sin² of the least angle wanted.
func (w *work) quadrics(ctx context.Context, bound float32) error {
	poor := 0
	for t := range w.tri {
		if t%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		v := &w.tri[t]
		a, b, c := &w.pos[v[0]], &w.pos[v[1]], &w.pos[v[2]]
		ux, uy, uz := float32(b.X-a.X), float32(b.Y-a.Y), float32(b.Z-a.Z)
		vx, vy, vz := float32(c.X-a.X), float32(c.Y-a.Y), float32(c.Z-a.Z)
		x, y, z := uy*vz-uz*vy, uz*vx-ux*vz, ux*vy-uy*vx
		l := float32(math.Sqrt(float64(x*x + y*y + z*z)))
		if l == 0 {
			continue
		}
		cx, cy, cz := vx-ux, vy-uy, vz-uz
		if l*l < bound*longest2(ux*ux+uy*uy+uz*uz, vx*vx+vy*vy+vz*vz, cx*cx+cy*cy+cz*cz) {
			poor++
		}
		f := 1 / l
		w.ref[t] = packNormal(f*x, f*y, f*z)
		w.quad[v[0]].plane(x, y, z, f, l)
		w.quad[v[1]].plane(x, y, z, f, l)
		w.quad[v[2]].plane(x, y, z, f, l)
	}
	w.rough = poor*roughShare > len(w.tri)
	var r ring
	for u, k := range w.kind {
		if k == inner || !w.gather(int32(u), &r) {
			continue
		}
		for i := range r.n {
			for _, z := range [2]int32{r.x[i], r.y[i]} {
				if w.ordinary(z, &r) {
					continue
				}
				e := r3.Sub(w.pos[z], w.pos[u])
				o := r3.Sub(w.pos[r.x[i]+r.y[i]-z], w.pos[u])
				n := r3.Cross(e, r3.Cross(e, o))
				if l := r3.Norm2(n); l > 0 {
					wt := lineWeight * r3.Norm2(e)
					w.quad[u].plane(float32(n.X), float32(n.Y), float32(n.Z), float32(wt/l), float32(wt))
				}
			}
		}
	}
	return ctx.Err()
}

// costs fills r.cost for moving u onto each neighbour x: the mean squared
// distance from the planes gathered at u, in mm², plus a little of the squared
// length, which prefers short edges where the surface is flat.
func (w *work) costs(u int32, r *ring) (best int, least float32) {
	q, p := w.quad[u], w.pos[u]
	f := q.share()
	// the sum of both terms as one quadric
	xx, yy, zz := q.xx*f+lengthShare, q.yy*f+lengthShare, q.zz*f+lengthShare
	xy, xz, yz := 2*f*q.xy, 2*f*q.xz, 2*f*q.yz
	bx, by, bz, c := 2*f*q.bx, 2*f*q.by, 2*f*q.bz, q.c*f
	least = math.MaxFloat32
	for i, v := range r.x[:r.n] {
		o := &w.pos[v]
		x, y, z := float32(o.X-p.X), float32(o.Y-p.Y), float32(o.Z-p.Z)
		k := x*(xx*x+xy*y+xz*z+bx) + y*(yy*y+yz*z+by) + z*(zz*z+bz) + c
		r.cost[i] = k
		if k < least {
			best, least = i, k
		}
	}
	return best, least
}

// misfit is the mean squared distance of v from the planes gathered at u, mm².
func (w *work) misfit(u, v int32) float32 {
	return w.quad[u].misfit(r3.Sub(w.pos[v], w.pos[u]))
}

// misfit is the mean squared distance at offset d, mm².
func (q *quadric) misfit(d r3.Vec) float32 {
	return q.at(float32(d.X), float32(d.Y), float32(d.Z)) * q.share()
}

// fair reports whether the faces around u stay sound when u moves to p, on
// vertex v of its ring (then the faces at v vanish) or anywhere (v = −1): no
// normal is farther than maxTurnCos from the one the face had in the input, no
// angle falls under that of sin2 = sin² — or, when some face around u is worse
// already, under the worst of them.
func (w *work) fair(u, v int32, p r3.Vec, r *ring, sin2 float32) bool {
	for i := range r.n {
		x, y := r.x[i], r.y[i]
		if x == v || y == v {
			continue
		}
		px, py := &w.pos[x], &w.pos[y]
		ax, ay, az := float32(px.X-p.X), float32(px.Y-p.Y), float32(px.Z-p.Z)
		bx, by, bz := float32(py.X-p.X), float32(py.Y-p.Y), float32(py.Z-p.Z)
		cx, cy, cz := bx-ax, by-ay, bz-az
		nx, ny, nz := ay*bz-az*by, az*bx-ax*bz, ax*by-ay*bx
		n2 := nx*nx + ny*ny + nz*nz
		if ref := w.ref[r.at[i]>>2]; ref != 0 {
			mx, my, mz := unpackNormal(ref)
			if d := nx*mx + ny*my + nz*mz; d < 0 || d*d < maxTurnCos*maxTurnCos*n2 {
				return false
			}
		}
		if n2 < sin2*longest2(ax*ax+ay*ay+az*az, bx*bx+by*by+bz*bz, cx*cx+cy*cy+cz*cz) {
			if !w.rough {
				return false
			}
			if worst := w.worst(u, r); !(worst < sin2 && w.fair(u, v, p, r, worst)) {
				return false
			}
			sin2 = -1
		}
	}
	return true
}

// packNormal keeps a unit vector in three numbers of ten bits, never 0.
func packNormal(x, y, z float32) uint32 {
	pack := func(a float32) uint32 { return uint32(int32(a*511)) & 1023 }
	return 1<<31 | pack(x) | pack(y)<<10 | pack(z)<<20
}

// unpackNormal is a vector of about unit length.
func unpackNormal(n uint32) (x, y, z float32) {
	const f = 1. / 511
	return f * float32(int32(n<<22)>>22), f * float32(int32(n<<12)>>22), f * float32(int32(n<<2)>>22)
}

// worst is sin² of the least angle of the faces in r.
func (w *work) worst(u int32, r *ring) float32 {
	least := float32(1)
	for i := range r.n {
		least = min(least, sin2(w.pos[u], w.pos[r.x[i]], w.pos[r.y[i]]))
	}
	return least
}
