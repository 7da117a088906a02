// Package arch holds the tests of the structure: who may import whom, which
// doors lead to the disk, the network, the clock and untrusted text, and what
// every file has to have.
//
// The rules are tables, in one file each; a new package needs a row in the
// import table and a line in docs/design.md. Each check is a function over
// parsed files, tried on small made-up sources before it goes over the module,
// so that a check that finds nothing is known to be able to. The files are read
// in this process, not by another command: the test cache notices every change.
package arch
