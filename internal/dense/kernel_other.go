//go:build !amd64

package dense

func machineSets() []*set { return nil }

func machineSub[T Float](n int, l0, l1, l2, l3, x, y *T) { portableSub(n, l0, l1, l2, l3, x, y) }

func machineDot[T Float](n int, l0, l1, l2, l3, y, out *T) { portableDot(n, l0, l1, l2, l3, y, out) }
