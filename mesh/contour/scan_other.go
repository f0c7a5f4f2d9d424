//go:build !amd64

package contour

func scanWide(a, b, c, d []byte, out []scanWords) { scanPortable(a, b, c, d, out) }
