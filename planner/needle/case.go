package needle

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"halsted/imaging"
	"halsted/imaging/distance"
	"halsted/planner"
	"halsted/planner/rules"

	"gonum.org/v1/gonum/spatial/r3"
)

// Name is the procedure that this package plans.
const Name = "needle.trajectory"

// Config says what is to be done. The zero value is a biopsy of the first
// tumour in the liver with the first shipped needle.
type Config struct {
	Condition string        // "biopsy", "ablation", "drain": what the rules ask for; "": biopsy
	Target    imaging.Label // 0: imaging.LabelTumour
	Organ     imaging.Label // that holds the target; 0: imaging.LabelLiver
	// Device is the needle; nil: the first shipped one for the condition, of
	// several ablation needles the one with the smallest zone that kills the
	// target with its margin at once, else that with the widest zone.
	Device *rules.Device
	Pack   *rules.Pack // nil: the shipped one
	Extra  []Structure // with masks; they take the place of known ones of the same ID
	// Candidates bounds the number of pairs of skin and target points; the
	// target points are set apart until it is kept. 0: 1 000 000.
	Candidates int
	// SkinMM is the distance between skin points, mm; 0: 1.
	SkinMM float64
	Case   string // planner.Case.ID, for the plans
	// Errors are the standard deviations of what goes wrong; zero fields take
	// their defaults.
	Errors Errors
	// Image is the scan that the structures were found in, on their grid: the errors
	// of the borders of the target and of vessels in the organ are measured in it.
	// nil: borders are known to Errors.BoundaryMM, and a flag says so.
	Image *imaging.Volume
}

// MissingError names a structure that planning cannot do without, and the
// outputs that are lost with it.
type MissingError struct {
	Structure, Remedy string
	Lost              []string // output ids; nil: all
}

func (e *MissingError) Error() string {
	lost := "no trajectory can be found"
	if len(e.Lost) > 0 {
		lost = "lost: " + strings.Join(e.Lost, ", ")
	}
	return fmt.Sprintf("needle: the case has no %s (%s): %s", e.Structure, lost, e.Remedy)
}

// OutsideError says that the target is not where a needle could go.
type OutsideError struct {
	Target imaging.Label
	Of     imaging.Label // the body or the organ
	AtMM   r3.Vec        // its centre, LPS
	Share  float64       // of its voxels outside
}

func (e *OutsideError) Error() string {
	return fmt.Sprintf("needle: %.0f %% of %s around (%.0f, %.0f, %.0f) mm lie outside the %s: check the target's mask or the frame of reference",
		100*e.Share, e.Target.Words(), e.AtMM.X, e.AtMM.Y, e.AtMM.Z, e.Of.Words())
}

// Loss is an output that the case cannot give, and why.
type Loss struct{ Output, Why string }

// Case is one patient prepared for the search. It is safe for concurrent
// reading.
type Case struct {
	Grid imaging.Grid // a crop of the segments' grid
	// Lost lists the outputs that are not given for want of a structure.
	Lost []Loss

	segs           *imaging.Segments // on Grid
	organ, target  imaging.Label
	condition      string
	device         rules.Device
	pack           *rules.Pack
	limits         map[string]float64 // least clearance of hard rules, by structure; only looked up
	length, radius float64            // of the device, mm
	beyond         float64            // tip beyond the zone's centre, mm
	zone           zone               // of one ablation; zero for other needles
	errors         Errors
	obst           []obstacle
	lack           []Structure // that the case has no mask of
	flags          []planner.Flag
	id             string // of the planner.Case

	clear      *Field // see clearField; nil without obstacles
	body       *Field // signed distance to the skin
	organField *Field // signed distance to the organ; nil when there is none
	tumour     *Field // signed distance to the target, on a crop
	blur       float64
	centre     r3.Vec  // of the target
	depthMM    float64 // of its deepest point
	volumeML   float64
	skin       []r3.Vec // LPS mm
	points     []r3.Vec // target points: where the tip, or the zone's centre, goes
	pointMM    float64  // their distance
	sinkMM     float64  // least distance of the target from wide vessels; +Inf: not known

	borders *borders // nil: not measured

	cache nearCache
	shift shiftCache
}

const (
	defaultCandidates = 1_000_000
	defaultSkinMM     = 1.0
	// marginMM is scanned around what the longest needle can reach, so that
	// obstacles beyond it are seen.
	marginMM = 40
	// coreDepth is the share of its greatest depth from which a target point
	// belongs to the core.
	coreDepth = 0.5
)

// NewCase prepares the distance maps. Errors: *MissingError for skin or target,
// *OutsideError, *rules.DeviceError, *rules.Error, or that of ctx.
func NewCase(ctx context.Context, segs *imaging.Segments, cfg Config) (*Case, error) {
	c := &Case{condition: cfg.Condition, target: cfg.Target, organ: cfg.Organ, pack: cfg.Pack, errors: cfg.Errors.withDefaults(), id: cfg.Case}
	if c.condition == "" {
		c.condition = "biopsy"
	}
	if c.target == 0 {
		c.target = imaging.LabelTumour
	}
	if c.organ == 0 {
		c.organ = imaging.LabelLiver
	}
	if err := segs.Grid.Validate(); err != nil {
		return nil, fmt.Errorf("needle: %w", err)
	}
	if len(segs.Bits) != segs.Grid.Len() {
		return nil, fmt.Errorf("needle: %d voxels of masks on a grid of %d", len(segs.Bits), segs.Grid.Len())
	}
	if err := c.errors.validate(); err != nil {
		return nil, err
	}
	if err := c.readRules(cfg.Device, segs); err != nil {
		return nil, err
	}
	off, err := c.crop(segs)
	if err != nil {
		return nil, err
	}
	c.blur = 2 * halfDiagonal(c.Grid)
	if err := c.measure(ctx); err != nil {
		return nil, err
	}
	if c.obst, c.lack, err = c.obstacles(ctx, &cfg, off, segs.Grid); err != nil {
		return nil, err
	}
	for _, s := range c.lack {
		why := "the case has no mask of the " + s.Name
		c.Lost = append(c.Lost, Loss{clearanceID(s), why}, Loss{hitID(s), why})
	}
	if c.clear, err = c.clearField(ctx); err != nil {
		return nil, fmt.Errorf("needle: obstacles: %w", err)
	}
	if err := c.heatSink(ctx); err != nil {
		return nil, err
	}
	spacing := cfg.SkinMM
	if spacing == 0 {
		spacing = defaultSkinMM
	}
	if !(spacing >= 0.2) || math.IsInf(spacing, 1) {
		return nil, fmt.Errorf("needle: skin points %g mm apart: want 0.2 mm or more", spacing)
	}
	if c.skin, err = c.skinPoints(ctx, spacing); err != nil {
		return nil, err
	}
	if len(c.skin) == 0 {
		return nil, &MissingError{Structure: "skin within reach of the target", Remedy: fmt.Sprintf("scan a field that shows the skin within %.0f mm of the target", c.length)}
	}
	most := cfg.Candidates
	if most == 0 {
		most = defaultCandidates
	}
	if most < 1 {
		return nil, fmt.Errorf("needle: at most %d candidates: want 1 or more", most)
	}
	c.targetPoints(max(1, most/len(c.skin)))
	if cfg.Image != nil {
		if err := c.measureBorders(ctx, cfg.Image); err != nil {
			return nil, err
		}
	}
	if c.flags, err = c.findFlags(segs); err != nil {
		return nil, err
	}
	c.flags = append(c.flags, c.borderFlags(cfg.Image != nil)...)
	return c, ctx.Err()
}

// readRules takes device and limits from the data.
func (c *Case) readRules(dev *rules.Device, segs *imaging.Segments) error {
	var err error
	if c.pack == nil {
		if c.pack, err = rules.Shipped(Name); err != nil {
			return err
		}
	}
	list, err := c.pack.For(c.condition)
	if err != nil {
		return err
	}
	c.limits = map[string]float64{}
	for _, r := range list {
		s, a := strings.CutPrefix(r.Quantity, "clearance_")
		s, b := strings.CutSuffix(s, "_mm")
		if !a || !b || r.Severity != rules.Hard || r.Operator != ">=" {
			continue
		}
		if old, ok := c.limits[s]; !ok || r.Value > old {
			c.limits[s] = r.Value
		}
	}
	if dev == nil {
		all, err := rules.Devices(Name)
		if err != nil {
			return err
		}
		dev = c.pick(all, segs)
		if dev == nil {
			return &rules.DeviceError{Device: c.condition, Why: "no device of this kind is shipped; name one"}
		}
	}
	c.device = *dev
	c.length, c.radius, c.beyond, c.zone, err = readDevice(dev, c.condition)
	return err
}

// pick chooses among the shipped devices, as Config.Device says; nil if there
// is none of the kind.
func (c *Case) pick(all []rules.Device, segs *imaging.Segments) *rules.Device {
	bit := segs.Bit(c.target)
	size, h := segs.Grid.Bounds(func(n int) bool { return bit != 0 && segs.Bits[n]&bit != 0 }).Size(), segs.Grid.SpacingMM()
	widest := 0.0
	for a := range size {
		widest = max(widest, float64(size[a])*h[a])
	}
	var best *rules.Device
	across := 0.0
	for n := range all {
		d := &all[n]
		if d.Kind != c.condition {
			continue
		}
		w := 0.0
		if z, err := d.Number("zone_across", "mm"); err == nil {
			w = z
		}
		enough, was := w >= widest+2*ablationMarginMM, across >= widest+2*ablationMarginMM
		if best == nil || enough && (!was || w < across) || !enough && !was && w > across {
			best, across = d, w
		}
	}
	return best
}

// readDevice takes the numbers that a needle needs, mm.
func readDevice(d *rules.Device, condition string) (length, radius, beyond float64, z zone, err error) {
	var diameter float64
	var names = []string{"length", "shaft_diameter"}
	var into = []*float64{&length, &diameter}
	if condition == "ablation" {
		names = append(names, "zone_along", "zone_across", "tip_beyond_centre")
		into = append(into, &z.along, &z.across, &beyond)
	}
	for n, name := range names {
		if *into[n], err = d.Number(name, "mm"); err != nil {
			return
		}
		if !(*into[n] > 0) && name != "tip_beyond_centre" || *into[n] > 1000 {
			return 0, 0, 0, z, &rules.DeviceError{Device: d.ID, Why: fmt.Sprintf("%s of %g mm is no size of a needle", name, *into[n])}
		}
	}
	z.along, z.across = z.along/2, z.across/2
	return length, diameter / 2, beyond, z, nil
}

// crop keeps what a needle can reach.
func (c *Case) crop(segs *imaging.Segments) (off [3]int, err error) {
	bit := segs.Bit(c.target)
	box := segs.Grid.Bounds(func(n int) bool { return bit != 0 && segs.Bits[n]&bit != 0 })
	if box.Empty() {
		return off, &MissingError{Structure: c.target.Words(), Remedy: "give a seed inside it or import its mask"}
	}
	if segs.Bit(imaging.LabelBody) == 0 {
		return off, &MissingError{Structure: "skin", Remedy: "segment the body"}
	}
	box = box.Grow(segs.Grid, c.length+c.beyond+marginMM).Clip(segs.Grid)
	c.segs, c.Grid = segs, segs.Grid
	if box != segs.Grid.Box() {
		c.segs = segs.Crop(box)
		c.Grid = c.segs.Grid
	}
	for a, n := range c.Grid.Size {
		if n < 2 {
			return off, fmt.Errorf("needle: the masks have %d voxel along %c: a trajectory needs a volume", n, "ijk"[a])
		}
	}
	return box.Lo, nil
}

// measure fills the fields of body, organ and target.
func (c *Case) measure(ctx context.Context) error {
	b := c.segs.Bits
	has := func(l imaging.Label) func(int) bool {
		bit := c.segs.Bit(l)
		return func(n int) bool { return b[n]&bit != 0 }
	}
	inBody, inOrgan, inTarget := has(imaging.LabelBody), has(c.organ), has(c.target)
	var sum r3.Vec
	count, noBody, noOrgan := 0, 0, 0
	for n := range b {
		if !inTarget(n) {
			continue
		}
		i, j, k := c.Grid.IJK(n)
		sum = r3.Add(sum, c.Grid.Point(float64(i), float64(j), float64(k)))
		count++
		if !inBody(n) {
			noBody++
		}
		if !inOrgan(n) {
			noOrgan++
		}
	}
	c.centre = r3.Scale(1/float64(count), sum)
	c.volumeML = float64(count) * c.Grid.VoxelMM3() / 1000
	if 2*noBody > count {
		return &OutsideError{c.target, imaging.LabelBody, c.centre, float64(noBody) / float64(count)}
	}
	d, err := signedBand(ctx, c.Grid, inBody, bandMM)
	if err != nil {
		return fmt.Errorf("needle: body: %w", err)
	}
	if c.body, err = newField(c.Grid, [3]int{}, d); err != nil {
		return err
	}
	if c.tumour, err = c.cropField(ctx, inTarget, targetMarginMM); err != nil {
		return err
	}
	for _, v := range c.tumour.MM {
		c.depthMM = max(c.depthMM, -float64(v))
	}
	switch {
	case c.segs.Bit(c.organ) == 0 || c.segs.Count(c.organ) == 0:
		why := "the case has no mask of the " + c.organ.Words()
		for _, id := range []string{"capsule_angle_deg", "organ_track_mm", "healthy_ml", "target_shift_mm", "puncture_shift_mm"} {
			c.Lost = append(c.Lost, Loss{id, why})
		}
		return nil
	case 2*noOrgan > count:
		return &OutsideError{c.target, c.organ, c.centre, float64(noOrgan) / float64(count)}
	}
	// A mask of the organ may leave the target out: it belongs to it.
	c.organField, err = c.cropField(ctx, func(n int) bool { return inOrgan(n) || inTarget(n) }, organMarginMM)
	return err
}

const (
	targetMarginMM = 25 // as far as the tip may stray from the target
	organMarginMM  = 8
)

// cropField is the signed distance to a set on a crop around it.
func (c *Case) cropField(ctx context.Context, in func(n int) bool, margin float64) (*Field, error) {
	box := c.Grid.Bounds(in).Grow(c.Grid, margin).Clip(c.Grid)
	for a := range box.Lo { // at least two voxels a side
		if box.Hi[a]-box.Lo[a] < 2 {
			box.Lo[a], box.Hi[a] = max(0, box.Lo[a]-1), min(c.Grid.Size[a], box.Hi[a]+1)
		}
	}
	sub, d, err := distance.SignedCrop(ctx, c.Grid, box, in)
	if errors.Is(err, distance.ErrNoBoundary) {
		d, err = signedBand(ctx, sub, func(int) bool { return true }, bandMM)
	}
	if err != nil {
		return nil, fmt.Errorf("needle: %w", err)
	}
	return newField(sub, box.Lo, d)
}

// sinkBandMM is how far vessels are looked for around the target.
const sinkBandMM = 15

// heatSink measures how close wide vessels come to the target.
func (c *Case) heatSink(ctx context.Context) error {
	c.sinkMM = math.Inf(1)
	for n := range c.obst {
		if c.obst[n].ID != "vessel" {
			continue
		}
		b, bit := c.segs.Bits, c.segs.Bit(c.target)
		box := c.Grid.Bounds(func(v int) bool { return b[v]&bit != 0 }).Grow(c.Grid, sinkBandMM).Clip(c.Grid)
		sub := c.Grid.Crop(box)
		at := func(v int) int {
			i, j, k := sub.IJK(v)
			return c.Grid.Index(i+box.Lo[0], j+box.Lo[1], k+box.Lo[2])
		}
		d, err := signedBand(ctx, sub, func(v int) bool { return c.obst[n].in(at(v)) }, sinkBandMM)
		if err != nil {
			return fmt.Errorf("needle: vessels: %w", err)
		}
		for v, mm := range d {
			if b[at(v)]&bit != 0 {
				c.sinkMM = min(c.sinkMM, float64(mm))
			}
		}
	}
	return nil
}
