package fem

import "halsted/internal/dense"

// blocksAVX2 is blocksPortable with AVX2 and fused multiply-add, with the same
// order of roundings.
//
//go:noescape
func blocksAVX2(ke *stiffnessBlocks, pts *invariantPoint, nq, n int)

func blocks(ke *stiffnessBlocks, pts *[4]invariantPoint, nq, n int) {
	if dense.Kernel() == "portable" {
		blocksPortable(ke, pts, nq, n)
		return
	}
	blocksAVX2(ke, &pts[0], nq, n)
}
