package imaging

import "fmt"

// Kind says what a volume's values mean.
type Kind uint8

// The kinds of volume.
const (
	KindUnknown Kind = iota
	KindHU           // Hounsfield units (CT)
	KindMR           // arbitrary MR signal
)

func (k Kind) String() string {
	switch k {
	case KindHU:
		return "HU"
	case KindMR:
		return "MR"
	}
	return "unknown"
}

// Volume is a scalar image: value = Slope·Data + Intercept at each voxel of
// Grid (PS3.3 C.11.1.1.2). Readers in this module store HU directly (slope 1,
// intercept 0) whenever the result fits int16 exactly.
type Volume struct {
	Grid             Grid
	Data             []int16
	Slope, Intercept float64
	Kind             Kind
}

// NewVolume allocates a zero volume with slope 1.
func NewVolume(g Grid, k Kind) *Volume {
	return &Volume{Grid: g, Data: make([]int16, g.Len()), Slope: 1, Kind: k}
}

// Validate reports a volume whose samples do not fill its grid.
func (v *Volume) Validate() error {
	if err := v.Grid.Validate(); err != nil {
		return err
	}
	if len(v.Data) != v.Grid.Len() {
		return fmt.Errorf("imaging: volume has %d samples for %d voxels", len(v.Data), v.Grid.Len())
	}
	if v.Slope == 0 {
		return fmt.Errorf("imaging: volume has rescale slope 0")
	}
	return nil
}

// Value is the value (HU for CT) at storage index n.
func (v *Volume) Value(n int) float64 { return v.Slope*float64(v.Data[n]) + v.Intercept }
