//go:build !amd64

package fem

func blocks(ke *stiffnessBlocks, pts *[4]invariantPoint, nq, n int) {
	blocksPortable(ke, pts, nq, n)
}
