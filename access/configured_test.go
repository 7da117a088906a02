package access

import (
	"net/url"
	"testing"
)

func TestIsConfigured(t *testing.T) {
	t.Parallel()
	tests := []struct {
		configured, asked string
		want              bool
	}{
		{"http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1/chat", true},
		{"http://LOCALHOST", "http://localhost:80/x", true},
		{"https://x.test", "https://x.test:443/", true},
		{"http://[::1]:9", "http://[::1]:9/", true},
		{"http://127.0.0.1:8000", "http://127.0.0.1:8001/", false},
		{"http://127.0.0.1:8000", "https://127.0.0.1:8000/", false},
		{"http://127.0.0.1", "http://127.0.0.1.evil.test/", false},
		{"", "http://127.0.0.1/", false},
		{"::", "http://127.0.0.1/", false},
		{"/v1", "/v1", false},
	}
	for _, tt := range tests {
		u, err := url.Parse(tt.asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := IsConfigured(WithConfigured(t.Context(), tt.configured), u); got != tt.want {
			t.Errorf("%q configured, %q asked: %t, want %t", tt.configured, tt.asked, got, tt.want)
		}
	}
	if IsConfigured(t.Context(), nil) || IsConfigured(WithConfigured(t.Context(), "http://x"), nil) {
		t.Error("no address is configured")
	}
}
