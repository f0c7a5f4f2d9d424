package contour

import (
	"math"

	"halsted/imaging"
)

// The inner loops of Smooth. Each has a twin in assembly for amd64 with the
// same order of roundings.

// middle is the middle of the cell that x is in.
func middle(x float32) float32 { return float32(int32(x+1)) - 0.5 }

// confine keeps x in the cell that from is in.
func confine(x, from float32) float32 {
	mid := middle(from)
	return min(max(x, mid-CellLimit), mid+CellLimit)
}

// relaxPortable moves the vertices lo..hi-1 to the mean of their six slots.
func relaxPortable(nb []near, from, to []float32, lo, hi int) {
	for v := lo; v < hi; v++ {
		w := &nb[v]
		for a := int32(0); a < 3; a++ {
			s := from[w[0]+a] + from[w[1]+a] + from[w[2]+a] + from[w[3]+a] + from[w[4]+a] + from[w[5]+a]
			to[4*v+int(a)] = confine(float32(s*sixth), from[4*v+int(a)])
		}
	}
}

// spreadPortable takes one step of diffusion for the vertices lo..hi-1.
func spreadPortable(nb []near, from, to []float32, lo, hi int, tau float32) {
	for v := lo; v < hi; v++ {
		w := &nb[v]
		s := from[w[0]/4] + from[w[1]/4] + from[w[2]/4] + from[w[3]/4] + from[w[4]/4] + from[w[5]/4]
		to[v] = from[v] + float32(tau*(s-float32(6*from[v])))
	}
}

// normalsPortable adds twice the area normal of each face, turned from the
// larger label to the smaller, to its vertices.
func normalsPortable(quads [][4]int32, sides [][2]imaging.Label, at, normal []float32) {
	for m := range quads {
		q := &quads[m]
		p0, p1, p2, p3 := (*[4]float32)(at[4*q[0]:]), (*[4]float32)(at[4*q[1]:]), (*[4]float32)(at[4*q[2]:]), (*[4]float32)(at[4*q[3]:])
		ax, ay, az := p2[0]-p0[0], p2[1]-p0[1], p2[2]-p0[2]
		bx, by, bz := p3[0]-p1[0], p3[1]-p1[1], p3[2]-p1[2]
		if sides[m][0] < sides[m][1] {
			bx, by, bz = -bx, -by, -bz
		}
		nx := float32(ay*bz) - float32(az*by)
		ny := float32(az*bx) - float32(ax*bz)
		nz := float32(ax*by) - float32(ay*bx)
		for _, v := range q {
			o := (*[4]float32)(normal[4*v:])
			o[0] += nx
			o[1] += ny
			o[2] += nz
		}
	}
}

// shrinkPortable puts 1/length into the fourth float of the normals of the
// vertices lo..hi-1, 0 for none, and how far they went back along them into
// lost.
func shrinkPortable(before, now, normal, lost []float32, lo, hi int) {
	for v := lo; v < hi; v++ {
		n, o, p := (*[4]float32)(normal[4*v:]), (*[4]float32)(before[4*v:]), (*[4]float32)(now[4*v:])
		l2 := float32(n[0]*n[0]) + float32(n[1]*n[1]) + float32(n[2]*n[2])
		inv := float32(0)
		if l2 > 0 {
			inv = 1 / float32(math.Sqrt(float64(l2)))
		}
		n[3] = inv
		lost[v] = (float32((o[0]-p[0])*n[0]) + float32((o[1]-p[1])*n[1]) + float32((o[2]-p[2])*n[2])) * inv
	}
}

// growPortable moves the vertices lo..hi-1 along their normals.
func growPortable(at, normal, lost []float32, lo, hi int) {
	for v := lo; v < hi; v++ {
		n, p := (*[4]float32)(normal[4*v:]), (*[4]float32)(at[4*v:])
		f := lost[v] * n[3]
		for a := range 3 {
			p[a] = confine(p[a]+float32(f*n[a]), p[a])
		}
	}
}
