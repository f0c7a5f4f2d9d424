//go:build !amd64

package dense

func machineSets() []*set { return nil }

func machineSub[T Float](cols, rows int, l, x, y *T) { portableSub(cols, rows, l, x, y) }

func machineDot[T Float](cols, rows int, l, y, out *T) { portableDot(cols, rows, l, y, out) }

func machineAdd[T Float](cols int, offset *int, rows, mr int, dst, src *T) {
	portableAdd(cols, offset, rows, mr, dst, src)
}

func machineCopy[T Float](k, n int, dst *T, ld int, src *T, ls int) {
	portableCopy(k, n, dst, ld, src, ls)
}
