// Package register places one volume on another.
package register
