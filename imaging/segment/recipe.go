package segment

import (
	"fmt"
	"math"

	"halsted/imaging"

	"gonum.org/v1/gonum/spatial/r3"
)

// Seed is a point a person put into a structure.
type Seed struct {
	Label imaging.Label // LabelLiver, LabelPortalVein, LabelHepaticVein or a tumour
	LPS   r3.Vec        // mm
}

// Recipe is all that decides a segmentation: the same volume and recipe give
// the same bits. A zero parameter means its default; Resolved fills them in,
// and Parameters lists each with unit, default and range. The defaults are for
// portal-venous CT of the abdomen.
type Recipe struct {
	Name  string
	Seeds []Seed

	WorkMM   float64 // voxel size at which shapes are found
	SmoothMM float64 // radius of the edge-preserving filter
	SmoothHU float64 // contrast that the filter keeps

	BodyAboveHU float64 // body against air
	BodyOpenMM  float64 // couch and clothes thinner than twice this fall off
	BoneAboveHU float64 // bone
	BoneCoreHU  float64 // cortical bone: brighter than contrast-filled vessels
	BoneReachMM float64 // how far bone goes from its core; marrow up to this wide is filled
	BoneMinML   float64 // smaller pieces are calcifications or contrast

	LiverMinHU    float64 // range searched for the liver's own value
	LiverMaxHU    float64
	LiverEvenMM   float64 // radius of the box in which liver looks even
	LiverEvenHU   float64 // standard deviation in that box, at most
	LiverBelowHU  float64 // parenchyma reaches this far below the liver's value
	LiverAboveHU  float64 // and this far above
	LiverOpenMM   float64 // bridges to other organs thinner than twice this are cut
	LiverCloseMM  float64 // channels and notches narrower than twice this are closed
	LiverFairMM   float64 // radius over which the outline is smoothed
	LiverMinML    float64 // less is not a liver
	LesionReachMM float64 // half-width of the widest notch a surface tumour may leave
	LesionTouch   float64 // part of its surface there that must touch liver or lung
	LesionBelowHU float64 // and how much darker than liver it is
	LesionOpenMM  float64 // what is thinner than twice this is not part of it

	VesselWorkMM   float64 // voxel size for vessels
	VesselLocalMM  float64 // radius of the box a vessel must stand out from
	VesselAboveHU  float64 // it is begun this far above that box's mean
	VesselFollowHU float64 // and followed down to this
	VesselNoise    float64 // but not below this many standard deviations of the noise
	VesselRimMM    float64 // rim of the liver without vessels: partial volume
	VesselMinML    float64 // smaller pieces are noise
	VesselSystemML float64 // smaller trees are not assigned to a system by position
	TumourBelowHU  float64 // candidates are this much darker than the liver
	TumourMinML    float64 // smaller candidates are dropped
	TumourOpenMM   float64 // what is thinner than twice this is not tumour
	TumourRound    float64 // sphericity of a candidate, at least
	TumourReachMM  float64 // a seeded tumour stays within this distance of its seed
	MaxTumours     int     // automatic candidates; −1 for none
}

// Parameter describes one number of a Recipe.
type Parameter struct {
	Name, Unit           string
	Default, Least, Most float64
	field                func(*Recipe) *float64
}

// Parameters are the numbers of a Recipe in the order of its fields, MaxTumours
// (default 8, −1 to 16) excepted. A zero lies outside every range, so it can
// stand for the default.
func Parameters() []Parameter {
	return []Parameter{
		{"WorkMM", "mm", 2, 0.5, 5, func(r *Recipe) *float64 { return &r.WorkMM }},
		{"SmoothMM", "mm", 4, 1, 20, func(r *Recipe) *float64 { return &r.SmoothMM }},
		{"SmoothHU", "HU", 20, 1, 200, func(r *Recipe) *float64 { return &r.SmoothHU }},
		{"BodyAboveHU", "HU", -300, -700, -100, func(r *Recipe) *float64 { return &r.BodyAboveHU }},
		{"BodyOpenMM", "mm", 5, 1, 20, func(r *Recipe) *float64 { return &r.BodyOpenMM }},
		{"BoneAboveHU", "HU", 180, 80, 500, func(r *Recipe) *float64 { return &r.BoneAboveHU }},
		{"BoneCoreHU", "HU", 320, 150, 1500, func(r *Recipe) *float64 { return &r.BoneCoreHU }},
		{"BoneReachMM", "mm", 8, 1, 30, func(r *Recipe) *float64 { return &r.BoneReachMM }},
		{"BoneMinML", "ml", 0.5, 0.01, 50, func(r *Recipe) *float64 { return &r.BoneMinML }},
		{"LiverMinHU", "HU", 30, 1, 150, func(r *Recipe) *float64 { return &r.LiverMinHU }},
		{"LiverMaxHU", "HU", 220, 50, 400, func(r *Recipe) *float64 { return &r.LiverMaxHU }},
		{"LiverEvenMM", "mm", 8, 2, 30, func(r *Recipe) *float64 { return &r.LiverEvenMM }},
		{"LiverEvenHU", "HU", 12, 1, 60, func(r *Recipe) *float64 { return &r.LiverEvenHU }},
		{"LiverBelowHU", "HU", 30, 5, 100, func(r *Recipe) *float64 { return &r.LiverBelowHU }},
		{"LiverAboveHU", "HU", 35, 5, 150, func(r *Recipe) *float64 { return &r.LiverAboveHU }},
		{"LiverOpenMM", "mm", 6, 1, 30, func(r *Recipe) *float64 { return &r.LiverOpenMM }},
		{"LiverCloseMM", "mm", 5, 1, 30, func(r *Recipe) *float64 { return &r.LiverCloseMM }},
		{"LiverFairMM", "mm", 2, 0.1, 10, func(r *Recipe) *float64 { return &r.LiverFairMM }},
		{"LiverMinML", "ml", 200, 0.1, 1000, func(r *Recipe) *float64 { return &r.LiverMinML }},
		{"LesionReachMM", "mm", 30, 1, 60, func(r *Recipe) *float64 { return &r.LesionReachMM }},
		{"LesionTouch", "1", 0.5, 0.1, 1, func(r *Recipe) *float64 { return &r.LesionTouch }},
		{"LesionBelowHU", "HU", 20, 5, 100, func(r *Recipe) *float64 { return &r.LesionBelowHU }},
		{"LesionOpenMM", "mm", 4, 1, 20, func(r *Recipe) *float64 { return &r.LesionOpenMM }},
		{"VesselWorkMM", "mm", 1.5, 0.4, 4, func(r *Recipe) *float64 { return &r.VesselWorkMM }},
		{"VesselLocalMM", "mm", 12, 4, 40, func(r *Recipe) *float64 { return &r.VesselLocalMM }},
		{"VesselAboveHU", "HU", 30, 5, 200, func(r *Recipe) *float64 { return &r.VesselAboveHU }},
		{"VesselFollowHU", "HU", 15, 3, 150, func(r *Recipe) *float64 { return &r.VesselFollowHU }},
		{"VesselNoise", "1", 2, 0.1, 10, func(r *Recipe) *float64 { return &r.VesselNoise }},
		{"VesselRimMM", "mm", 2, 0.5, 10, func(r *Recipe) *float64 { return &r.VesselRimMM }},
		{"VesselMinML", "ml", 0.15, 0.005, 10, func(r *Recipe) *float64 { return &r.VesselMinML }},
		{"VesselSystemML", "ml", 1, 0.05, 50, func(r *Recipe) *float64 { return &r.VesselSystemML }},
		{"TumourBelowHU", "HU", 25, 5, 100, func(r *Recipe) *float64 { return &r.TumourBelowHU }},
		{"TumourMinML", "ml", 2, 0.05, 100, func(r *Recipe) *float64 { return &r.TumourMinML }},
		{"TumourOpenMM", "mm", 3, 0.5, 15, func(r *Recipe) *float64 { return &r.TumourOpenMM }},
		{"TumourRound", "1", 0.45, 0.05, 1, func(r *Recipe) *float64 { return &r.TumourRound }},
		{"TumourReachMM", "mm", 60, 3, 150, func(r *Recipe) *float64 { return &r.TumourReachMM }},
	}
}

// defaultMaxTumours is the number of automatic candidates when none is given.
const defaultMaxTumours = 8

// Resolved is r with every zero parameter replaced by its default.
func (r Recipe) Resolved() Recipe {
	for _, p := range Parameters() {
		if f := p.field(&r); *f == 0 {
			*f = p.Default
		}
	}
	if r.MaxTumours == 0 {
		r.MaxTumours = defaultMaxTumours
	}
	return r
}

// Validate names the first parameter outside its range, or a seed that cannot
// be used.
func (r Recipe) Validate() error {
	r = r.Resolved()
	for _, p := range Parameters() {
		if v := *p.field(&r); !(v >= p.Least && v <= p.Most) { // also NaN
			return fmt.Errorf("segment: %s is %g %s; it must be from %g to %g", p.Name, v, p.Unit, p.Least, p.Most)
		}
	}
	switch {
	case r.LiverMinHU >= r.LiverMaxHU:
		return fmt.Errorf("segment: LiverMinHU %g is not below LiverMaxHU %g", r.LiverMinHU, r.LiverMaxHU)
	case r.BoneAboveHU > r.BoneCoreHU:
		return fmt.Errorf("segment: BoneAboveHU %g is above BoneCoreHU %g", r.BoneAboveHU, r.BoneCoreHU)
	case r.VesselFollowHU > r.VesselAboveHU:
		return fmt.Errorf("segment: VesselFollowHU %g is above VesselAboveHU %g", r.VesselFollowHU, r.VesselAboveHU)
	case r.MaxTumours < -1 || r.MaxTumours > imaging.MaxTumours:
		return fmt.Errorf("segment: MaxTumours is %d; it must be from -1 to %d", r.MaxTumours, imaging.MaxTumours)
	}
	for n, s := range r.Seeds {
		ok := s.Label == imaging.LabelLiver || s.Label == imaging.LabelPortalVein || s.Label == imaging.LabelHepaticVein || s.Label.IsTumour()
		if !ok {
			return fmt.Errorf("segment: seed %d is for %v; seeds are for liver, portal vein, hepatic vein and tumours", n+1, s.Label)
		}
		if p := s.LPS.X + s.LPS.Y + s.LPS.Z; math.IsNaN(p) || math.IsInf(p, 0) {
			return fmt.Errorf("segment: seed %d has no finite position", n+1)
		}
	}
	return nil
}
