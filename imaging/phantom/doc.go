// Package phantom makes synthetic patients whose answer is known.
//
// NewLiver(seed) draws one patient of a family: the trunk of a contrast CT of
// the abdomen with skin, fat, muscle, ribs, spine, lungs, heart, stomach,
// spleen, kidneys, pancreas, bowel, aorta and vena cava around a liver of
// 1420–1780 ml with gallbladder fossa, hilum, caudate region, two tumours of
// 25–40 mm and the portal and hepatic veins down to 2 mm diameter. Every
// surface is a formula, so volumes, centrelines, radii and the label of any
// point are known. Volume is the CT scan of the patient (HU, with the
// scanner's blur and noise), Truth the label map, WriteSeries the scan as
// DICOM files.
//
// # Frame and units
//
// DICOM LPS, millimetres, HU; the origin is the middle of the trunk. Volumes
// are in millilitres (1 ml = 1000 mm³).
//
// # The vessels
//
// Each tree is a set of branches of constant radius between nodes. A branch is
// the union of balls along its polyline. Each node has two children and keeps
// Murray's law r₀³ = r₁³ + r₂³ (Murray, PNAS 12:207, 1926). Growth is after
// Tawhai, Pullan & Hunter, Ann Biomed Eng 28:793 (2000): the tissue of a branch
// is split by a plane and each half gets a branch towards its middle. Portal
// and hepatic branches stay 4 mm apart and 5 mm off the tumours.
//
// # The scan
//
// A voxel is the mean over its thickness and about one pixel across, painted in
// a fixed order, then blurred in the slice by a Gaussian of σ = 0.72 mm. Noise
// (σ = 11 HU) passes the same blur and is therefore correlated over about a
// millimetre in the slice. Tissues have one mean HU each.
//
// # Determinism and concurrency
//
// The same seed gives the same patient, and the same seed and grid the same
// bits, for any GOMAXPROCS. Randomness is math/rand/v2 PCG(seed, stream) with
// one stream for each part and each slice. A Liver does not change after
// NewLiver and may be used by many goroutines. The memory Volume takes beyond
// its result is two slices for each core.
//
// # What it does not do
//
// No breathing, no beam hardening or metal, no variant anatomy (all patients
// have the usual branching of portal trunk and three hepatic veins), no hepatic
// artery or bile ducts. The tissue outside the liver is scenery, right in
// place, size and HU but not in detail.
package phantom
