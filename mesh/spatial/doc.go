// Package spatial answers where things are on a mesh: nearest point, along a ray,
// inside or outside, overlapping.
package spatial
