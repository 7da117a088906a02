//go:build services

package mcpclient

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sre-go/sre/internal/childprocess"
	"github.com/sre-go/sre/value"
)

// everything is the server that the authors of the protocol try their clients with, as scripts/mcp-server gets it.
func everything(t *testing.T, args ...string) *childprocess.Command {
	t.Helper()
	node, script := os.Getenv("SRE_TEST_NODE"), os.Getenv("SRE_TEST_MCP")
	if node == "" || script == "" {
		t.Fatal(`SRE_TEST_NODE and SRE_TEST_MCP are not set: eval "$(scripts/mcp-server up)"`)
	}
	return &childprocess.Command{Path: node, Args: append([]string{script}, args...), Env: []string{"PATH=" + filepath.Dir(node), "GIVEN=canary"}}
}

// freePort is a port of this machine that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// TestServices_Everything uses the server over each of its transports.
func TestServices_Everything(t *testing.T) {
	for _, way := range []string{"stdio", "streamableHttp", "sse"} {
		t.Run(way, func(t *testing.T) {
			server, o := Server{Name: "every", Pin: "every"}, options(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
			if way == "stdio" {
				server.Command = everything(t, way)
			} else {
				c := everything(t, way)
				port := freePort(t)
				c.Env = append(c.Env, "PORT="+port)
				c.Path, c.Args = "/bin/sh", []string{"-c", `exec "$0" "$@" 2>&1`, c.Path, c.Args[0], c.Args[1]} // it tells on standard error that it is ready
				child, err := childprocess.Start(t.Context(), *c)
				if err != nil {
					t.Fatal(err)
				}
				defer child.Close()
				lines := bufio.NewReader(child)
				for ready := false; !ready; {
					line, err := lines.ReadString('\n')
					if err != nil {
						t.Fatalf("the server does not get ready: %v", err)
					}
					ready = strings.Contains(line, port)
				}
				drained := make(chan struct{})
				go func() {
					defer close(drained)
					_, _ = io.Copy(io.Discard, lines) // what it says further is of no interest
				}()
				defer func() { _ = child.Close(); <-drained }()
				server.URL = "http://127.0.0.1:" + port + map[string]string{"streamableHttp": "/mcp", "sse": "/sse"}[way]
			}
			s := open(t, server, o)
			if got := len(s.Tools()); got < 8 {
				t.Errorf("%d tools, want those of the server: %v", got, names(s))
			}
			v, err := s.call(t.Context(), "echo", parse(t, `{"message":"hello"}`))
			if err != nil || v.Text() != "Echo: hello" {
				t.Errorf("echo = %q, %v", v.Text(), err)
			}
			v, err = s.call(t.Context(), "get-sum", parse(t, `{"a":20,"b":22}`))
			if err != nil || !strings.Contains(v.Text(), "42") {
				t.Errorf("get-sum = %q, %v", v.Text(), err)
			}
			if v, err = s.call(t.Context(), "get-sum", parse(t, `{"a":"x"}`)); err == nil {
				t.Errorf("wrong arguments = %q, want an error", v.Text())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if denied := open(t, server, o).Denied(); len(denied) != 0 {
				t.Errorf("the second conversation finds %v changed", denied)
			}
		})
	}
}

func parse(t *testing.T, text string) value.Value {
	t.Helper()
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
