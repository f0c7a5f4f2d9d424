package contour

// peerScene is the analytic truth of the peers' volumes.
type peerScene struct {
	Dims [3]int
	Sp   [3]float64
}
