// Package window draws a scene with OpenGL through g3n, on the screen or into
// a picture. It is the only package of the module that needs cgo.
//
// Bodies, colours, lights and letters are those of viewer/scene, and title,
// legend, scale bar and notice are the very picture that viewer/raster lays
// over its own, so a number reads the same in both. Transparent triangles of
// all bodies go through one list that is sorted by depth for every view.
// Colours of a quantity come from a texture of the 256 viridis entries, looked
// up for each pixel. Clip planes discard pixels in the shader. Vertices of a
// new frame are streamed into the buffers of the last one.
//
// # Units
//
// The scene's: LPS mm. Vertex positions are 32-bit floats on the way to the
// card, which is 0.06 µm at 500 mm.
//
// # Concurrency
//
// A process has one window (GLFW and g3n keep global state), and everything
// here belongs to the goroutine, locked to its thread, that called Open; on
// macOS that must be the main one. Another goroutine hands frames over through
// scene.Inbox.
//
// # What it needs
//
// X11 with OpenGL 3.3: a desktop, or Xvfb with Mesa's software driver
// (packages xvfb and libgl1-mesa-dri). The library is opened as libGL.so,
// which on Debian is in libgl-dev. The package does not import g3n's app,
// which would want OpenAL.
//
// # What it does not do
//
// Intersecting transparent triangles are sorted by their centres, which may
// misplace a few pixels; viewer/raster sorts every sample.
package window
