package sqlitevec

import (
	"os"
	"testing"

	"github.com/sre-go/sre/internal/leak"
)

func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }
