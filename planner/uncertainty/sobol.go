package uncertainty

import (
	_ "embed"
	"math/bits"
	"strconv"
	"strings"
	"sync"
)

//go:embed joe_kuo.txt
var joeKuo string

// MaxDimensions is the number of inputs that the Sobol sequence spreads.
const MaxDimensions = 128

const sobolBits = 32 // digits of a Sobol point: up to 2³² points

// directions are the direction numbers v_k·2³² of every dimension: [d][k−1].
//
// With the primitive polynomial x^s + a_1·x^(s−1) + … + a_(s−1)·x + 1,
// m_k = 2a_1·m_(k−1) ⊕ 2²a_2·m_(k−2) ⊕ … ⊕ 2^s·m_(k−s) ⊕ m_(k−s) and
// v_k = m_k/2^k (Joe and Kuo 2008, equation 2).
var directions = sync.OnceValue(func() *[MaxDimensions][sobolBits]uint32 {
	var v [MaxDimensions][sobolBits]uint32
	for k := range sobolBits {
		v[0][k] = 1 << (sobolBits - 1 - k)
	}
	for line := range strings.Lines(joeKuo) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var f []uint32
		for _, w := range strings.Fields(line) {
			n, err := strconv.ParseUint(w, 10, 32)
			if err != nil {
				panic("uncertainty: joe_kuo.txt: " + line)
			}
			f = append(f, uint32(n))
		}
		d, s, a, m := f[0]-1, int(f[1]), f[2], f[3:]
		for k := range sobolBits {
			if k < s {
				v[d][k] = m[k] << (sobolBits - 1 - k)
				continue
			}
			x := v[d][k-s] ^ v[d][k-s]>>s
			for j := 1; j < s; j++ {
				if a>>(s-1-j)&1 == 1 {
					x ^= v[d][k-j]
				}
			}
			v[d][k] = x
		}
	}
	return &v
})

// sobolDigits is coordinate d of the point with index n, times 2³², in the
// order of the binary digits of n (not of the Gray code).
func sobolDigits(d int, n uint32) uint32 {
	v := &directions()[d]
	var x uint32
	for ; n != 0; n &= n - 1 {
		x ^= v[bits.TrailingZeros32(n)]
	}
	return x
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014,
// doi 10.1145/2660193.2660195): a bijection that spreads every bit.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// owen scrambles the digits of one coordinate: digit k is flipped by a coin
// that depends on the digits before it (nested uniform scrambling; Owen,
// Randomly permuted (t,m,s)-nets and (t,s)-sequences, 1995,
// doi 10.1007/978-1-4612-2552-2_19). It keeps the net and makes every point
// uniform.
func owen(x uint32, seed uint64) uint32 {
	y := x
	for k := range sobolBits {
		before := uint64(x) >> (sobolBits - k) // the k leading digits
		coin := mix(seed ^ mix(before|uint64(k)<<sobolBits))
		y ^= uint32(coin>>63) << (sobolBits - 1 - k)
	}
	return y
}

// scrambledSobol is coordinate d of point n, strictly between 0 and 1. The
// digits below the 32nd are random.
func scrambledSobol(d int, n uint32, seed uint64) float64 {
	key := mix(seed ^ mix(uint64(d)+1))
	x := owen(sobolDigits(d, n), key)
	low := mix(key^mix(uint64(n)|1<<62)) >> 44 // 20 bits
	return (float64(uint64(x)<<20|low) + 0.5) / (1 << 52)
}
