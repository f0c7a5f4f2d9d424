package series

import "math"

// CIELab of D50 as DICOM stores it: L 0…100 and a, b −128…127 over 0…65535
// (PS3.3 C.10.7.1.1).

// labOf converts sRGB (IEC 61966-2-1, white D65) through XYZ adapted to D50 by
// the Bradford matrix to CIELab.
func labOf(rgb [3]uint8) [3]uint16 {
	var lin [3]float64
	for n, v := range rgb {
		c := float64(v) / 255
		if lin[n] = c / 12.92; c > 0.04045 {
			lin[n] = math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	// sRGB to XYZ with white D50 (Lindbloom, Bradford-adapted).
	m := [3][3]float64{
		{0.4360747, 0.3850649, 0.1430804},
		{0.2225045, 0.7168786, 0.0606169},
		{0.0139322, 0.0971045, 0.7141733},
	}
	white := [3]float64{0.96422, 1, 0.82521}
	var f [3]float64
	for n := range f {
		v := (m[n][0]*lin[0] + m[n][1]*lin[1] + m[n][2]*lin[2]) / white[n]
		if f[n] = v*841/108 + 4./29; v > 216./24389 {
			f[n] = math.Cbrt(v)
		}
	}
	pcs := func(v, lo, hi float64) uint16 { return uint16(math.Round(min(max((v-lo)/(hi-lo), 0), 1) * 65535)) }
	return [3]uint16{pcs(116*f[1]-16, 0, 100), pcs(500*(f[0]-f[1]), -128, 127), pcs(200*(f[1]-f[2]), -128, 127)}
}
