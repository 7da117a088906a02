//go:build services

package redis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/redis/redistest"
	"github.com/sre-go/sre/secret"
)

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serve starts a server of the test's own and returns a function that ends it.
func serve(t *testing.T, args ...string) (end func()) {
	t.Helper()
	cmd := exec.Command(redistest.Program(t), args...)
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // says that it was killed
		}
	}
	t.Cleanup(end)
	return end
}

func open(t *testing.T, o Options) *Client {
	t.Helper()
	o.Dial = dial
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// eventually waits until there is no error, and fails the test when that takes too long.
func eventually(t *testing.T, limit time.Duration, what string, do func() error) {
	t.Helper()
	timer := time.NewTicker(20 * time.Millisecond)
	defer timer.Stop()
	for start := time.Now(); ; <-timer.C {
		err := do()
		if err == nil {
			return
		}
		if time.Since(start) > limit {
			t.Fatalf("%s after %v: %v", what, limit, err)
		}
	}
}

// The password of the settings gets in; a wrong one, or none, is an error that says which setting to look at and does
// not hold it.
func TestPassword(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	serve(t, "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", "right-password")
	host := []string{"127.0.0.1:" + port}
	right := open(t, Options{Hosts: host, Password: secret.New("right-password"), Database: 3})
	eventually(t, 10*time.Second, "Check", func() error { return right.Check(t.Context()) })
	for name, password := range map[string]string{"none": "", "wrong": "wrong-password"} {
		err := open(t, Options{Hosts: host, Password: secret.New(password)}).Check(t.Context())
		if fault.CodeOf(err) != CodeAuth || !strings.Contains(err.Error(), "REDIS_PASSWORD") || strings.Contains(err.Error(), "password-") || strings.Contains(err.Error(), "wrong-password") {
			t.Errorf("%s: Check = %v, want %s with a hint and without the password", name, err, CodeAuth)
		}
	}
	// The script is sent as a whole when Redis does not know it.
	script := NewScript("return {redis.call('SET', KEYS[1], ARGV[1])['ok'], redis.call('GET', KEYS[1]), 7, false}")
	for range 2 {
		list, err := right.List(t.Context(), script, []string{"k"}, "text")
		if err != nil || fmt.Sprint(list) != "[OK text 7 <nil>]" {
			t.Errorf("List = %v, %v", list, err)
		}
	}
	texts, err := right.Get(t.Context(), "k", "missing")
	if err != nil || texts[0] != (Text{"text", true}) || texts[1] != (Text{}) {
		t.Errorf("Get = %+v, %v", texts, err)
	}
	// Put takes the place of whatever was there.
	push := NewScript("return redis.call('LPUSH', KEYS[1], 'x')")
	if _, err := right.Run(t.Context(), push, []string{"list"}); err != nil {
		t.Fatal(err)
	}
	if err := right.Put(t.Context(), "list", "one", "k", ""); err != nil {
		t.Fatal(err)
	}
	if texts, err = right.Get(t.Context(), "list", "k"); err != nil || texts[0] != (Text{"one", true}) || texts[1] != (Text{"", true}) {
		t.Errorf("after Put: Get = %+v, %v", texts, err)
	}
}

// A full Redis refuses writes with a hint and goes on reading.
func TestFull(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	serve(t, "--port", port, "--bind", "127.0.0.1", "--save", "", "--maxmemory", "1mb", "--maxmemory-policy", "noeviction")
	c := open(t, Options{Hosts: []string{"127.0.0.1:" + port}})
	eventually(t, 10*time.Second, "Check", func() error { return c.Check(t.Context()) })
	put := NewScript("redis.call('SET', KEYS[1], ARGV[1]) return 1")
	var err error
	for i := 0; i < 100 && err == nil; i++ {
		_, err = c.Run(t.Context(), put, []string{fmt.Sprint("k", i)}, strings.Repeat("x", 1<<16))
	}
	if fault.CodeOf(err) != CodeFull || !fault.Is(err, fault.Unavailable) {
		t.Errorf("Run = %v, want %s", err, CodeFull)
	}
	if err := c.Put(t.Context(), "k0", strings.Repeat("x", 1<<16), "more", strings.Repeat("x", 1<<16)); fault.CodeOf(err) != CodeFull {
		t.Errorf("Put = %v, want %s", err, CodeFull)
	}
	if _, err := c.Get(t.Context(), "k0"); err != nil {
		t.Errorf("Get of a full Redis: %v", err)
	}
}

// Sentinels tell where the master is, and where the new one is after a failover; nothing is restarted here.
func TestF05_Failover(t *testing.T) {
	t.Parallel()
	first, second, sentinel := freePort(t), freePort(t), freePort(t)
	kill := serve(t, "--port", first, "--bind", "127.0.0.1", "--save", "", "--requirepass", "pw", "--masterauth", "pw")
	serve(t, "--port", second, "--bind", "127.0.0.1", "--save", "", "--requirepass", "pw", "--masterauth", "pw", "--replicaof", "127.0.0.1 "+first)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	conf := "port " + sentinel + "\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 " + first + " 1\nsentinel auth-pass main pw\n" +
		"sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	serve(t, file, "--sentinel")
	c := open(t, Options{Hosts: []string{"127.0.0.1:" + sentinel}, Name: "main", Password: secret.New("pw")})
	eventually(t, 15*time.Second, "Check", func() error { return c.Check(t.Context()) })
	put := NewScript("redis.call('SET', KEYS[1], ARGV[1]) return 1")
	if _, err := c.Run(t.Context(), put, []string{"k"}, "before"); err != nil {
		t.Fatal(err)
	}
	replica := open(t, Options{Hosts: []string{"127.0.0.1:" + second}, Password: secret.New("pw")})
	eventually(t, 20*time.Second, "the replica has the key", func() error {
		texts, err := replica.Get(t.Context(), "k")
		if err == nil && texts[0].Text != "before" {
			err = fmt.Errorf("the replica has %+v", texts)
		}
		return err
	})
	_, err := replica.Run(t.Context(), put, []string{"k"}, "x")
	if fault.CodeOf(err) != CodeBusy || !strings.Contains(err.Error(), "hosts") {
		t.Errorf("a write to a replica = %v, want %s", err, CodeBusy)
	}
	// A Sentinel learns of replicas every few seconds, and cannot fail over before.
	watch := open(t, Options{Hosts: []string{"127.0.0.1:" + sentinel}})
	info := NewScript("return 1") // Sentinels run none
	if _, err := watch.Run(t.Context(), info, nil); err == nil {
		t.Error("a Sentinel without a name is taken for a server")
	}
	eventually(t, 30*time.Second, "the Sentinel knows the replica", func() error {
		list, err := watch.db.Do(t.Context(), "SENTINEL", "REPLICAS", "main").Slice()
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d replicas", len(list))
		}
		return err
	})
	kill()
	eventually(t, 30*time.Second, "writes go to the new master", func() error {
		_, err := c.Run(t.Context(), put, []string{"l"}, "after")
		return err
	})
	if texts, err := c.Get(t.Context(), "k", "l"); err != nil || texts[0].Text != "before" || texts[1].Text != "after" {
		t.Errorf("Get after the failover = %+v, %v", texts, err)
	}
}

// Under TLS the certificate is checked; without, or with another authority, there is no connection.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := certificate(t, dir)
	port := freePort(t)
	serve(t, "--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--save", "", "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"), "--tls-ca-cert-file", filepath.Join(dir, "cert.pem"))
	host := []string{"127.0.0.1:" + port}
	good := open(t, Options{Hosts: host, TLS: true, CA: ca})
	eventually(t, 10*time.Second, "Check", func() error { return good.Check(t.Context()) })
	for name, o := range map[string]Options{
		"the system's authorities": {Hosts: host, TLS: true},
		"another authority":        {Hosts: host, TLS: true, CA: certificate(t, t.TempDir())},
		"another name":             {Hosts: []string{"localhost:" + port}, TLS: true, CA: ca},
		"no TLS":                   {Hosts: host},
	} {
		if err := open(t, o).Check(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "tls") {
			t.Errorf("%s: Check = %v, want UNAVAILABLE with a hint about tls", name, err)
		}
	}
}

// certificate writes a certificate for 127.0.0.1 and its key into a folder and returns it.
func certificate(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis of a test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for name, content := range map[string][]byte{"cert.pem": text, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return string(text)
}
