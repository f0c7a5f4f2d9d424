// Package needle plans straight insertions: biopsy, ablation, drainage.
package needle
