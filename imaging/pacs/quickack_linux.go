package pacs

import (
	"crypto/tls"
	"net"
	"syscall"
)

// quickAck returns a function that makes the kernel acknowledge at once what
// has arrived on c. Many senders write a message in two small pieces with
// Nagle's algorithm on: the second waits for our acknowledgement of the
// first, which the kernel would delay by 40 ms. The option does not stick, so
// it is set again after each read.
func quickAck(c net.Conn) func() {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	tc, ok := c.(*net.TCPConn)
	if !ok {
		return func() {}
	}
	raw, err := tc.SyscallConn()
	if err != nil {
		return func() {}
	}
	set := func(fd uintptr) {
		// A failure costs only speed.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}
	return func() { _ = raw.Control(set) }
}
