//go:build !amd64

package dense

func machineSets() []*set { return nil }

func machineSub[T Float](cols, rows int, l, x, y *T) { portableSub(cols, rows, l, x, y) }

func machineDot[T Float](cols, rows int, l, y, out *T) { portableDot(cols, rows, l, y, out) }
