// Package scene holds what is on the screen, without drawing it: structures
// with their colours and quantities, the timeline of a run, camera, clip
// planes, colour scales and picking. viewer/raster and viewer/window both draw
// a Scene and so show the same thing.
//
// # Coordinate frame and units
//
// Points are DICOM LPS in mm: x to the patient's left, y to the posterior, z to
// the head. View space is right-handed with x to the right of the screen, y up
// and z towards the viewer. Screen coordinates are in pixels from the upper
// left corner, y down. Field values carry their own unit (UCUM).
//
// # Layout
//
// A structure owns a range of the scene's vertices, in the order in which
// structures were added; a Frame holds one position and one value of each
// field for every vertex in that order. Triangles are counter-clockwise seen
// from outside and index the structure's own vertices. Slices handed in are
// kept, not copied, and must not be changed afterwards.
//
// # Concurrency
//
// A Scene belongs to one goroutine; reading it from several at once is safe
// while nobody changes it. Inbox takes what another goroutine receives and
// hands it over on the goroutine that owns the scene.
//
// # What it does not do
//
// It does no I/O, knows nothing of OpenGL, and does not judge the numbers it
// shows. Colours blend in sRGB, as OpenGL does by default.
//
// The nouns structure and quantity follow polyscope (polyscope.run). The
// orientation of the standard views follows radiological practice: in the
// anterior view the patient's right is on the left of the screen.
package scene
