package tetra

import (
	"context"
	"math"

	"halsted/imaging"
	"halsted/mesh/contour"
)

// minDistance is the least distance of a voxel centre from an interface, in
// spacings: a centre is never on the other side of its own label's border.
const minDistance = 0.02

// fieldOfNet turns a smoothed surface net into voxel distances: d of a voxel is
// the mean distance to the planes of the quadrilaterals on its six sides, each
// weighted by the square of its cosine with that side; voxels that touch an
// interface by an edge or a corner only take the tangent planes of the net's
// vertices in their cells.
func fieldOfNet(ctx context.Context, l *imaging.Labels, net *contour.Net) (*labelField, []float32, error) {
	f := newLabelFieldOn(l.Grid)
	if err := f.open(ctx, l, net); err != nil {
		return nil, nil, err
	}
	// normals of vertices, from the label at the lower voxel to the higher label
	normal := make([]float32, 3*net.Len())
	d, weight := make([]float32, len(f.value)), make([]float32, len(f.value))
	sx, sy, sz := float32(f.sp.X), float32(f.sp.Y), float32(f.sp.Z)
	for q, v := range net.Quads {
		if q&0xffff == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		a, b, c, e := net.Pos[3*v[0]:3*v[0]+3], net.Pos[3*v[1]:3*v[1]+3], net.Pos[3*v[2]:3*v[2]+3], net.Pos[3*v[3]:3*v[3]+3]
		// cross product of the diagonals, mm²
		ux, uy, uz := (c[0]-a[0])*sx, (c[1]-a[1])*sy, (c[2]-a[2])*sz
		wx, wy, wz := (e[0]-b[0])*sx, (e[1]-b[1])*sy, (e[2]-b[2])*sz
		nx, ny, nz := uy*wz-uz*wy, uz*wx-ux*wz, ux*wy-uy*wx
		flip := float32(1)
		if net.Sides[q][0] > net.Sides[q][1] {
			flip = -1
		}
		for _, x := range v {
			normal[3*x] += flip * nx
			normal[3*x+1] += flip * ny
			normal[3*x+2] += flip * nz
		}
		l2 := nx*nx + ny*ny + nz*nz
		if l2 == 0 {
			continue
		}
		r := 1 / float32(math.Sqrt(float64(l2)))
		nx, ny, nz = nx*r, ny*r, nz*r
		mx, my, mz := (a[0]+b[0]+c[0]+e[0])/4*sx, (a[1]+b[1]+c[1]+e[1])/4*sy, (a[2]+b[2]+c[2]+e[2])/4*sz
		i, j, k, axis := net.Crosses(q)
		na := [3]float32{nx, ny, nz}[axis]
		w := na*na + 1e-4
		// from the lower voxel to the plane, and from the plane to the upper one
		low := (mx-float32(i)*sx)*nx + (my-float32(j)*sy)*ny + (mz-float32(k)*sz)*nz
		step := [3]float32{sx, sy, sz}[axis] * na
		o, _ := f.slot(i+1, j+1, k+1)
		d[o] += w * low
		weight[o] += w
		p := [3]int{i + 1, j + 1, k + 1}
		p[axis]++
		o, _ = f.slot(p[0], p[1], p[2])
		d[o] += w * (step - low)
		weight[o] += w
	}
	// voxels without a face on an interface
	for v := range net.Len() {
		i, j, k := net.Cell(int32(v))
		var n [3]float32
		n[0], n[1], n[2] = normal[3*v], normal[3*v+1], normal[3*v+2]
		l2 := n[0]*n[0] + n[1]*n[1] + n[2]*n[2]
		r := float32(0)
		if l2 > 0 {
			r = 1 / float32(math.Sqrt(float64(l2)))
		}
		p := net.Pos[3*v : 3*v+3]
		for c := range 8 {
			x, y, z := i+c&1, j+c>>1&1, k+c>>2
			o, _ := f.slot(x+1, y+1, z+1)
			if weight[o] > 0 {
				continue
			}
			dx, dy, dz := (p[0]-float32(x))*sx, (p[1]-float32(y))*sy, (p[2]-float32(z))*sz
			near := float32(math.Abs(float64(dx*n[0]+dy*n[1]+dz*n[2]))) * r
			if net.Meet[v] > 2 {
				near = float32(math.Sqrt(float64(dx*dx+dy*dy+dz*dz))) * 0.7
			}
			if weight[o] == 0 {
				weight[o] = -1
				d[o] = near
			} else { // the nearest of them
				d[o] = min(d[o], near)
			}
		}
	}
	least := minDistance * f.far
	for o, w := range weight {
		x := f.far
		switch {
		case w > 0:
			x = max(d[o]/w, least)
		case w < 0:
			x = max(d[o], least)
		}
		f.value[o] = packValue(uint8(f.value[o]), x)
	}
	return f, normal, nil
}

// open makes room for the blocks that hold a voxel of a mixed cell, with their
// labels and no distance yet, and names the label of the others.
func (f *labelField) open(ctx context.Context, l *imaging.Labels, net *contour.Net) error {
	const open = math.MinInt32
	nb := f.nb
	last := int32(-1)
	for v := range net.Len() {
		i, j, k := net.Cell(int32(v))
		i, j, k = i+1, j+1, k+1
		b := int32(i>>3 + nb[0]*(j>>3+nb[1]*(k>>3)))
		if b == last && i&7 != 7 && j&7 != 7 && k&7 != 7 {
			continue
		}
		last = b
		for c := range 8 {
			f.block[(i+c&1)>>3+nb[0]*((j+c>>1&1)>>3+nb[1]*((k+c>>2)>>3))] = open
		}
	}
	count := int32(0)
	n := f.n
	for b := range f.block {
		if f.block[b] == open {
			f.block[b] = count
			count += blockSide * blockSide * blockSide
			continue
		}
		// any voxel of the block tells its label
		i, j, k := b%nb[0]*8-1, b/nb[0]%nb[1]*8-1, b/nb[0]/nb[1]*8-1
		i, j, k = max(i, 0), max(j, 0), max(k, 0)
		f.block[b] = -1
		if i < n[0] && j < n[1] && k < n[2] {
			f.block[b] = -1 - int32(l.ID[i+n[0]*(j+n[1]*k)])
		}
	}
	f.value = make([]uint32, count)
	for b, o := range f.block {
		if b&0xfff == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if o < 0 {
			continue
		}
		i, j, k := b%nb[0]*8-1, b/nb[0]%nb[1]*8-1, b/nb[0]/nb[1]*8-1
		for z := max(k, 0); z < min(k+8, n[2]); z++ {
			for y := max(j, 0); y < min(j+8, n[1]); y++ {
				x0, x1 := max(i, 0), min(i+8, n[0])
				if x0 >= x1 {
					continue
				}
				row := l.ID[n[0]*(y+n[1]*z):][x0:x1]
				to := f.value[int(o)+x0-i+(y-j+(z-k)<<3)<<3:]
				for m, id := range row {
					to[m] = uint32(id)
				}
			}
		}
	}
	return nil
}

// seedsOfNet takes the vertices of a net as seeds. The normals are those that
// fieldOfNet found.
func seedsOfNet(net *contour.Net, normal []float32, f *labelField) *seeds {
	n := net.Len()
	s := &seeds{at: make([]float32, 3*n), normal: normal, pair: make([]uint16, n)}
	sp := [3]float32{float32(f.sp.X), float32(f.sp.Y), float32(f.sp.Z)}
	for v := range n {
		for a := range 3 {
			s.at[3*v+a] = net.Pos[3*v+a] * sp[a]
		}
	}
	for q, v := range net.Quads {
		a, b := uint16(net.Sides[q][0]), uint16(net.Sides[q][1])
		pair := min(a, b)<<8 | max(a, b)
		for _, x := range v {
			if s.pair[x] == 0 {
				s.pair[x] = pair
			} else if s.pair[x] != pair {
				s.pair[x] = junction
			}
		}
	}
	return s
}

// levels are the tree levels that the labels at each vertex of a net ask for.
func levels(net *contour.Net, z *sizing) []uint8 {
	out := make([]uint8, net.Len())
	for q, v := range net.Quads {
		l := max(z.level[net.Sides[q][0]], z.level[net.Sides[q][1]])
		for _, x := range v {
			out[x] = max(out[x], l)
		}
	}
	return out
}
