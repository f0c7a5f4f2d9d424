// Package vessel turns a vessel lumen into a tree of named branches with
// centrelines and radii, its blood flow, and the territories it supplies.
//
// # Frame and units
//
// Points are LPS mm, radii mm, flows mm³/s, pressures MPa, volumes mm³.
package vessel
