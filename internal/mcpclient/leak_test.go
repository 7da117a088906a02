package mcpclient

import (
	"context"
	"os"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sre-go/sre/internal/leak"
)

// asServer names, in the environment of a child, what kind of server it is to be.
const asServer = "SRE_TEST_MCP_SERVER"

// TestMain runs the tests, or a server on standard input and output when a test has started this program as one.
func TestMain(m *testing.M) {
	switch os.Getenv(asServer) {
	case "":
		os.Exit(leak.Run(m))
	case "dies":
		os.Exit(3)
	default:
		if err := newServer(nil).Run(context.Background(), &mcp.StdioTransport{}); err != nil {
			os.Exit(1)
		}
	}
}
