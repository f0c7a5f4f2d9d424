// Package raster draws a scene as a still picture without OpenGL, for servers,
// reports and the demo.
//
// Opaque triangles go through a z-buffer; transparent ones are kept in a list
// per sample, sorted by depth and blended, so nested and non-convex bodies
// come out right at any depth count. Each pixel is the mean of 2×2 samples.
// Normals are interpolated between vertices; the lights are those of
// viewer/scene. Inner sides of surfaces are darker and greyer and never wear a
// quantity's colours. Over the bodies come the title, the captions, a legend
// per quantity with ticks, unit and extremes, the letters of the patient
// directions, a scale bar valid at the depth of the camera's target, and the
// notice.
//
// # Determinism
//
// The picture is made of tiles of a fixed size that share nothing, so its
// bytes are the same for any GOMAXPROCS. Coverage is decided in fixed point
// (1/256 of a sample) with the top-left rule: two triangles that share an edge
// never both cover a sample, nor leave a gap.
//
// # Concurrency
//
// Render and Overlay only read the scene and may run at the same time. Render
// gives up within a tile's work when its context is done.
//
// # What it does not do
//
// No shadows, no textures, no cap on a cut: one looks into the hollow body.
// Blending is in sRGB, as OpenGL does by default. Fonts are the Go fonts
// (golang.org/x/image/font/gofont, BSD licence).
package raster
