package contour

import "halsted/imaging"

// The kernels in assembly do the same as their portable twins, with the same
// order of roundings, for n vertices or faces from those the pointers name.
// Where positions or normals take four floats they may write the fourth.

//go:noescape
func relaxRows(nb *near, from, own, to *float32, n int)

//go:noescape
func spreadRows(nb *near, from, own, to *float32, n int, tau float32)

//go:noescape
func normalRows(quads *[4]int32, sides *[2]imaging.Label, at, normal *float32, n int)

//go:noescape
func shrinkRows(before, now, normal, lost *float32, n int)

//go:noescape
func growRows(at, normal, lost *float32, n int)

func relaxWide(nb []near, from, to []float32, lo, hi int) {
	_, _, _ = nb[lo:hi], from[4*lo:4*hi], to[4*lo:4*hi]
	relaxRows(&nb[lo], &from[0], &from[4*lo], &to[4*lo], hi-lo)
}

func spreadWide(nb []near, from, to []float32, lo, hi int, tau float32) {
	_, _, _ = nb[lo:hi], from[lo:hi], to[lo:hi]
	spreadRows(&nb[lo], &from[0], &from[lo], &to[lo], hi-lo, tau)
}

func normalsWide(quads [][4]int32, sides [][2]imaging.Label, at, normal []float32) {
	_ = sides[len(quads)-1]
	normalRows(&quads[0], &sides[0], &at[0], &normal[0], len(quads))
}

func shrinkWide(before, now, normal, lost []float32, lo, hi int) {
	_, _, _, _ = before[4*lo:4*hi], now[4*lo:4*hi], normal[4*lo:4*hi], lost[lo:hi]
	shrinkRows(&before[4*lo], &now[4*lo], &normal[4*lo], &lost[lo], hi-lo)
}

func growWide(at, normal, lost []float32, lo, hi int) {
	_, _, _ = at[4*lo:4*hi], normal[4*lo:4*hi], lost[lo:hi]
	growRows(&at[4*lo], &normal[4*lo], &lost[lo], hi-lo)
}
