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
// # What is thin here
//
// Cuts are planes, one for all tumours or one per tumour; vessels severed are
// counted where the cut crosses the vessel masks; territories, devascularised
// volume and blood loss are not computed. The simulation holds the remnant at
// the hepatic venous outflow and lifts its lower front edge; capsule, vessel
// walls and ligaments are left out. Parenchyma is one homogeneous tissue.
//
// All functions are deterministic; an Anatomy is safe for concurrent reading.
package liver
