// Package shell gives thin walls their elements: prism layers split into
// tetrahedra, or membrane triangles, grown from a lumen surface.
package shell
