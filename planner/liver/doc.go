// Package liver plans the resection of liver tumours (procedure
// "liver.resection"): it finds cutting planes around the tumours, says what
// each leaves and severs, turns a plan into loads on the remnant, and judges
// the simulated result.
//
// Lengths are mm, patient space is LPS, volumes are mL where the name says so.
// The organ is the union of parenchyma, tumours and the vessels inside it
// (imaging.Label.InOrgan). The future liver remnant (FLR) is given as a share
// of the CT organ volume minus the tumours; vessels count in both (definition
// in docs/planning.md).
//
// # Two walks
//
// Anatomy with Generate and Resect is the simple one: planes, volumes, margins,
// vessels counted voxel by voxel. Procedure is liver.resection itself
// (planner.Procedure). It needs Trees, the portal and hepatic trees with their
// flow and what they feed and drain (mesh/vessel), which take some seconds.
//
// # Level L0
//
// The organ is worked on in blocks of about 3 mm. A cut, plane or Bézier sheet,
// is a table of heights over the organ; blocks it cannot touch are taken or left
// whole, the others voxel by voxel with the part of each voxel above the cut. A
// divided portal branch takes what its subtree feeds by the most probable branch
// of each block, with the border smoothed over about a block. What is not
// face-connected to the largest part of the remnant does not count.
//
// Margins are distances from the tumours' voxels to the cut, along major vessels
// (radius 2 mm and more, within 1.5 mm of their lumen) apart from the rest. A
// branch is cut where its centreline passes the cut; all beyond is cut off, and
// what hung on it in the remnant is devascularised (portal) or congested
// (hepatic), by vessel.Supply.Lost. What a divided branch fed and the knife left
// is not devascularised: its border is in doubt, and that is in the spread of the
// volumes.
//
// With the scan (ProcedureSpec.Image) the borders of organ and tumours are those
// that the image shows between voxels, and their errors what its noise, blur and
// contrast let them be (planner/uncertainty); all plans share the field of one
// sample. Volumes move by the pieces of the organ's border that the remnant
// keeps, margins from the points of the tumours' borders nearest to the cut.
// Without the scan, or where it shows no step, borders are known to half a voxel,
// and a flag or the input's source says so. The search compares masks alone.
//
// Blood loss is (Σ min(flow, most that bleeds)·time open + area·oozing)·factor.
// The factor's median is set so that minor resections, those of less than a
// quarter of the organ, of three phantom livers lose 700 ml in the median; its
// spread is that of the published losses.
//
// # What it does not do
//
// Bile ducts and arteries are not modelled, nor is regeneration but for the
// growth after embolisation (26 to 36 %). Segments are portal territories by what
// is fed, not Couinaud's scheme. A territory on the block grid is no sharper than
// a block.
//
// All functions are deterministic; an Anatomy and a Procedure may be used by many
// goroutines.
package liver
