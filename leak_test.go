package sre_test

import (
	"os"
	"testing"

	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == asModel {
		os.Exit(beModel(os.Stdin, os.Stdout))
	}
	os.Exit(leak.Run(m))
}
