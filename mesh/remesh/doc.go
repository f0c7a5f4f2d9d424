// Package remesh makes a surface coarser within a stated distance, keeping it
// manifold and its label borders in place.
package remesh
