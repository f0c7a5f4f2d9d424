//go:build !amd64

package contour

import "halsted/imaging"

func relaxWide(nb []near, from, to []float32, lo, hi int) { relaxPortable(nb, from, to, lo, hi) }

func spreadWide(nb []near, from, to []float32, lo, hi int, tau float32) {
	spreadPortable(nb, from, to, lo, hi, tau)
}

func normalsWide(quads [][4]int32, sides [][2]imaging.Label, at, normal []float32) {
	normalsPortable(quads, sides, at, normal)
}

func shrinkWide(before, now, normal, lost []float32, lo, hi int) {
	shrinkPortable(before, now, normal, lost, lo, hi)
}

func growWide(at, normal, lost []float32, lo, hi int) { growPortable(at, normal, lost, lo, hi) }
