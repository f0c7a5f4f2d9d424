package service

import (
	"maps"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	halstedv1 "halsted/proto/halsted/v1"
)

// bareOnTheWire lists every floating-point field of the wire, with why it may
// be one. A result is a Quantity, which carries its spread, residual and
// evidence; only the parts of a Quantity, places, times, progress and what a
// person typed stand alone.
var bareOnTheWire = map[protoreflect.FullName]string{
	"halsted.v1.Quantity.value":        "part of a quantity",
	"halsted.v1.Spread.p2_5":           "part of a quantity",
	"halsted.v1.Spread.p5":             "part of a quantity",
	"halsted.v1.Spread.p50":            "part of a quantity",
	"halsted.v1.Spread.p95":            "part of a quantity",
	"halsted.v1.Spread.p97_5":          "part of a quantity",
	"halsted.v1.Violation.probability": "part of a quantity",
	"halsted.v1.Solution.residual":     "part of a quantity",
	"halsted.v1.Solution.mesh_error":   "part of a quantity",
	"halsted.v1.Limit.value":           "limit of a rule, with its source and evidence",

	"halsted.v1.Point.x_mm":           "place",
	"halsted.v1.Point.y_mm":           "place",
	"halsted.v1.Point.z_mm":           "place",
	"halsted.v1.Direction.x":          "place",
	"halsted.v1.Direction.y":          "place",
	"halsted.v1.Direction.z":          "place",
	"halsted.v1.Displacement.x_mm":    "place",
	"halsted.v1.Displacement.y_mm":    "place",
	"halsted.v1.Displacement.z_mm":    "place",
	"halsted.v1.Sheet.height_mm":      "place: what a plan prescribes",
	"halsted.v1.Graft.proximal_mm":    "place: what a plan prescribes",
	"halsted.v1.Graft.distal_mm":      "place: what a plan prescribes",
	"halsted.v1.Plan.retraction_mm":   "what a plan prescribes",
	"halsted.v1.GravityChange.x_g":    "what a plan prescribes",
	"halsted.v1.GravityChange.y_g":    "what a plan prescribes",
	"halsted.v1.GravityChange.z_g":    "what a plan prescribes",
	"halsted.v1.Study.spacing_i_mm":   "grid of the image",
	"halsted.v1.Study.spacing_j_mm":   "grid of the image",
	"halsted.v1.Study.spacing_k_mm":   "grid of the image",
	"halsted.v1.Topology.rest_xyz_mm": "place",
	"halsted.v1.Frame.bbox_origin_mm": "place",
	"halsted.v1.Frame.bbox_step_mm":   "place",
	"halsted.v1.Frame.sim_time_s":     "time",
	"halsted.v1.FieldRange.min":       "scale of a field's samples",
	"halsted.v1.FieldRange.max":       "scale of a field's samples",
	"halsted.v1.FieldRange.step":      "scale of a field's samples",

	"halsted.v1.FieldInfo.residual":       "header of a field, with its evidence",
	"halsted.v1.FieldInfo.error_estimate": "header of a field, with its evidence",

	"halsted.v1.PatientFacts.height_cm":              "typed by a person",
	"halsted.v1.PatientFacts.weight_kg":              "typed by a person",
	"halsted.v1.PatientFacts.mean_pressure_mmhg":     "typed by a person",
	"halsted.v1.PatientFacts.systolic_pressure_mmhg": "typed by a person",

	"halsted.v1.Run.progress":         "progress",
	"halsted.v1.ProposeProgress.done": "progress",
}

// TestNoBareNumberOnTheWire looks at every message of the wire: all that can
// be reached from an Evaluation or a response is among them.
func TestNoBareNumberOnTheWire(t *testing.T) {
	stale := maps.Clone(bareOnTheWire)
	var walk func(protoreflect.MessageDescriptors)
	walk = func(ms protoreflect.MessageDescriptors) {
		for i := range ms.Len() {
			m := ms.Get(i)
			for j := range m.Fields().Len() {
				fd := m.Fields().Get(j)
				if m.IsMapEntry() {
					fd = m.Fields().ByNumber(2)
				}
				if k := fd.Kind(); k != protoreflect.DoubleKind && k != protoreflect.FloatKind {
					continue
				}
				if bareOnTheWire[fd.FullName()] == "" {
					t.Errorf("%s is a bare number: send a Quantity", fd.FullName())
				}
				delete(stale, fd.FullName())
			}
			walk(m.Messages())
		}
	}
	protoregistry.GlobalFiles.RangeFilesByPackage("halsted.v1", func(f protoreflect.FileDescriptor) bool {
		walk(f.Messages())
		return true
	})
	for name := range stale {
		t.Errorf("%s is allowed and does not exist", name)
	}
	// A number that stands alone is no part of what a plan does to the organ.
	for name, why := range bareOnTheWire {
		if why == "part of a quantity" && reaches((&halstedv1.Evaluation{}).ProtoReflect().Descriptor(), name.Parent(), "halsted.v1.Quantity", map[protoreflect.FullName]bool{}) {
			t.Errorf("%s can be reached from an Evaluation outside a Quantity", name)
		}
	}
}

// reaches reports whether message to can be reached from m without passing
// through a message of the name around; around itself is no finding.
func reaches(m protoreflect.MessageDescriptor, to, around protoreflect.FullName, seen map[protoreflect.FullName]bool) bool {
	if m.FullName() == around || seen[m.FullName()] {
		return false
	}
	if m.FullName() == to {
		return true
	}
	seen[m.FullName()] = true
	for j := range m.Fields().Len() {
		if next := m.Fields().Get(j).Message(); next != nil && reaches(next, to, around, seen) {
			return true
		}
	}
	return false
}
