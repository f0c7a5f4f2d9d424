//go:build !linux

package pacs

import "net"

// quickAck does nothing: only Linux offers TCP_QUICKACK.
func quickAck(net.Conn) func() { return func() {} }
