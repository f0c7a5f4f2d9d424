package tetra

import "math/bits"

// table maps keys that are never zero to numbers: open addressing with linear
// probing. Its order is never looked at.
type table struct {
	key  []uint64
	val  []int32
	used int
}

func newTable(expect int) *table {
	n := 1 << bits.Len(uint(max(16, expect*3/2)))
	return &table{key: make([]uint64, n), val: make([]int32, n)}
}

func (t *table) slot(k uint64) int {
	h := k * 0x9e3779b97f4a7c15
	mask := len(t.key) - 1
	i := int(h>>20) & mask
	for t.key[i] != 0 && t.key[i] != k {
		i = (i + 1) & mask
	}
	return i
}

// get returns the number of k, or −1.
func (t *table) get(k uint64) int32 {
	if i := t.slot(k); t.key[i] == k {
		return t.val[i]
	}
	return -1
}

// add returns the number of k; an unknown key gets next, and fresh is true.
func (t *table) add(k uint64, next int32) (v int32, fresh bool) {
	i := t.slot(k)
	if t.key[i] == k {
		return t.val[i], false
	}
	if t.used*4 >= len(t.key)*3 {
		t.grow()
		i = t.slot(k)
	}
	t.key[i], t.val[i] = k, next
	t.used++
	return next, true
}

func (t *table) grow() {
	old := *t
	t.key, t.val = make([]uint64, 2*len(old.key)), make([]int32, 2*len(old.val))
	for i, k := range old.key {
		if k != 0 {
			j := t.slot(k)
			t.key[j], t.val[j] = k, old.val[i]
		}
	}
}
