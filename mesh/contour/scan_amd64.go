package contour

// scanRows is scanPortable in assembly.
//
//go:noescape
func scanRows(a, b, c, d *byte, out *scanWords, words int)

func scanWide(a, b, c, d []byte, out []scanWords) {
	n := 64 * len(out)
	_, _, _, _ = a[n], b[n-1], c[n-1], d[n-1] // what scanRows reads
	scanRows(&a[0], &b[0], &c[0], &d[0], &out[0], len(out))
}
