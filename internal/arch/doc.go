// Package arch holds the tests of the structure: who may import whom, which
// doors lead to the disk, the network, the clock and untrusted text, and what
// every file has to have. The rules are tables; a new package needs a row.
package arch
