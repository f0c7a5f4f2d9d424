// Package uncertainty spreads the uncertain inputs of a procedure over its
// outputs and bounds them.
package uncertainty
