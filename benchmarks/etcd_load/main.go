// The load on etcd: it reads a plan and tells results as multipaxos.bench.load_process does, so
// that one program can drive both.
//
// Each client is a goroutine that waits for the answer to one request before it sends the next
// (etcd knows no pipelines). It has a connection of clientv3 of its own, the client that etcd's own
// benchmark uses; with a number as argument, all goroutines share so many connections.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/etcd/clientv3"
	"go.uber.org/zap"
)

const (
	slice           = 100 * time.Millisecond
	requestTimeout  = 5 * time.Second
	connectTimeout  = 10 * time.Second
	restAfterError  = time.Millisecond
	mantissaBits    = 8
	clientsFilling  = 32
	reportInterval  = 200 * time.Millisecond
	errorsMax       = 20
	messageBytesMax = 64 << 20
)

type plan struct {
	Addresses [][2]interface{} `json:"addresses"`
	Load      struct {
		Clients int     `json:"clients"`
		Reads   float64 `json:"reads"`
	} `json:"load"`
	Content struct {
		Keys       int `json:"keys"`
		ValueBytes int `json:"value_bytes"`
	} `json:"content"`
	WarmUpSeconds float64 `json:"warm_up_seconds"`
	Seconds       float64 `json:"seconds"`
	RequestsMax   *int64  `json:"requests_max"`
	Seed          int64   `json:"seed"`
}

type histogram struct {
	Counts  map[string]int64 `json:"counts"`
	Longest int64            `json:"longest"`
}

type result struct {
	Seconds         float64          `json:"seconds"`
	Answers         int64            `json:"answers"`
	Reads           int64            `json:"reads"`
	Writes          int64            `json:"writes"`
	Unknown         int64            `json:"unknown"`
	Errors          map[string]int64 `json:"errors"`
	Slices          []histogram      `json:"slices"`
	GapSeconds      float64          `json:"gap_seconds"`
	GapBeganSeconds float64          `json:"gap_began_seconds"`
	CPUSeconds      float64          `json:"cpu_seconds"`
}

type answer struct {
	at, took int64 // nanoseconds; at since the load began
}

// What all goroutines count together.
type shared struct {
	reads, writes, unknown, sent int64
	mutex                        sync.Mutex
	errors                       map[string]int64
}

func (s *shared) fail(err error) {
	atomic.AddInt64(&s.unknown, 1)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	text := err.Error()
	if _, known := s.errors[text]; !known && len(s.errors) >= errorsMax {
		text = "other errors"
	}
	s.errors[text]++
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	line, err := input.ReadBytes('\n')
	var p plan
	if err == nil {
		err = json.Unmarshal(line, &p)
	}
	if err != nil {
		fail("there is no plan: " + err.Error())
	}
	clients, err := connect(p)
	if err == nil && p.Load.Reads > 0 {
		err = fill(p, clients)
	}
	if err != nil {
		fail(err.Error())
	}
	tell(map[string]interface{}{"ready": true})
	if _, err := input.ReadBytes('\n'); err != nil {
		return
	}
	// Whoever started this process is gone once its standard input ends.
	go func() {
		input.ReadBytes('\n')
		os.Exit(1)
	}()
	tell(map[string]interface{}{"result": run(p, clients)})
}

func connect(p plan) ([]*clientv3.Client, error) {
	endpoints := []string{}
	for _, address := range p.Addresses {
		endpoints = append(endpoints, fmt.Sprintf("%v:%v", address[0], address[1]))
	}
	count := p.Load.Clients
	if len(os.Args) > 1 {
		shared, err := strconv.Atoi(os.Args[1])
		if err != nil {
			return nil, err
		}
		if shared < count {
			count = shared
		}
	}
	clients := []*clientv3.Client{}
	for i := 0; i < count; i++ {
		client, err := clientv3.New(clientv3.Config{
			Endpoints:          endpoints,
			DialTimeout:        connectTimeout,
			MaxCallSendMsgSize: messageBytesMax,
			MaxCallRecvMsgSize: messageBytesMax,
			LogConfig:          &silence,
		})
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		_, err = client.Get(ctx, key(0))
		cancel()
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, nil
}

func key(number int) string {
	return "multipaxos-bench:" + strconv.Itoa(number)
}

func value(number, size int) string {
	return strings.Repeat(strconv.Itoa(number)+".", size)[:size]
}

func fill(p plan, clients []*clientv3.Client) error {
	failures := make(chan error, clientsFilling)
	for i := 0; i < clientsFilling; i++ {
		go func(first int) {
			for number := first; number < p.Content.Keys; number += clientsFilling {
				client := clients[number%len(clients)]
				text := value(number, p.Content.ValueBytes)
				if _, err := client.Put(context.Background(), key(number), text); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}(i)
	}
	for i := 0; i < clientsFilling; i++ {
		if err := <-failures; err != nil {
			return err
		}
	}
	return nil
}

func run(p plan, clients []*clientv3.Client) result {
	all := &shared{errors: map[string]int64{}}
	cpu := cpuSeconds()
	began := time.Now()
	warmUp := int64(p.WarmUpSeconds * 1e9)
	ended := warmUp + int64(p.Seconds*1e9)
	answers := make([][]answer, p.Load.Clients)
	var group sync.WaitGroup
	for i := range answers {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			answers[i] = drive(p, clients[i%len(clients)], int64(i), began, ended, all)
		}(i)
	}
	done := make(chan struct{})
	go report(all, done)
	group.Wait()
	close(done)
	if last := time.Since(began).Nanoseconds(); last < ended {
		ended = last
	}
	r := summary(answers, warmUp, ended)
	r.Reads, r.Writes, r.Unknown, r.Errors = all.reads, all.writes, all.unknown, all.errors
	r.CPUSeconds = cpuSeconds() - cpu
	return r
}

// drive is one client.
func drive(
	p plan, client *clientv3.Client, number int64, began time.Time, ended int64, all *shared,
) []answer {
	rng := rand.New(rand.NewSource(p.Seed*1000003 + number))
	answers := make([]answer, 0, 4096)
	values := map[int]string{}
	for {
		sent := time.Since(began).Nanoseconds()
		if sent >= ended {
			return answers
		}
		if p.RequestsMax != nil && atomic.AddInt64(&all.sent, 1) > *p.RequestsMax {
			return answers
		}
		chosen := rng.Intn(p.Content.Keys)
		text, known := values[chosen]
		if !known {
			text = value(chosen, p.Content.ValueBytes)
			values[chosen] = text
		}
		reads := rng.Float64() < p.Load.Reads
		if err := ask(client, reads, key(chosen), text); err != nil {
			all.fail(err)
			time.Sleep(restAfterError)
			continue
		}
		now := time.Since(began).Nanoseconds()
		answers = append(answers, answer{now, now - sent})
		if reads {
			atomic.AddInt64(&all.reads, 1)
		} else {
			atomic.AddInt64(&all.writes, 1)
		}
	}
}

func ask(client *clientv3.Client, reads bool, key, text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	if !reads {
		_, err := client.Put(ctx, key, text)
		return err
	}
	// Without options a get of etcd is linearizable.
	reply, err := client.Get(ctx, key)
	if err == nil && (len(reply.Kvs) != 1 || string(reply.Kvs[0].Value) != text) {
		err = fmt.Errorf("a wrong reply for %s", key)
	}
	return err
}

// summary puts the answers from began to ended into slices, and finds the longest time without.
func summary(answers [][]answer, began, ended int64) result {
	count := (ended - began + slice.Nanoseconds() - 1) / slice.Nanoseconds()
	if count < 1 {
		count = 1
	}
	r := result{Seconds: float64(ended-began) / 1e9, Slices: make([]histogram, count)}
	for i := range r.Slices {
		r.Slices[i].Counts = map[string]int64{}
	}
	times := []int64{began, ended}
	for _, own := range answers {
		for _, one := range own {
			if one.at < began || one.at >= ended {
				continue
			}
			r.Answers++
			times = append(times, one.at)
			into := &r.Slices[(one.at-began)/slice.Nanoseconds()]
			into.Counts[bucket(one.took)]++
			if one.took > into.Longest {
				into.Longest = one.took
			}
		}
	}
	sort.Slice(times, func(i, j int) bool { return times[i] < times[j] })
	for i := 1; i < len(times); i++ {
		gap := float64(times[i]-times[i-1]) / 1e9
		if gap > r.GapSeconds {
			r.GapSeconds, r.GapBeganSeconds = gap, float64(times[i-1]-began)/1e9
		}
	}
	return r
}

// bucket is that of multipaxos.bench.histogram.
func bucket(nanoseconds int64) string {
	shift := bits.Len64(uint64(nanoseconds)) - mantissaBits
	if shift < 0 {
		shift = 0
	}
	return strconv.FormatInt(int64(shift)<<mantissaBits|nanoseconds>>uint(shift), 10)
}

func report(all *shared, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(reportInterval):
			answered := atomic.LoadInt64(&all.reads) + atomic.LoadInt64(&all.writes)
			tell(map[string]interface{}{
				"answers": answered, "errors": atomic.LoadInt64(&all.unknown),
			})
		}
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// clientv3 logs each of its retries, thousands in a failover; errors are counted here instead.
var silence = zap.Config{
	Level:         zap.NewAtomicLevelAt(zap.FatalLevel),
	Encoding:      "json",
	EncoderConfig: zap.NewProductionEncoderConfig(),
}

var telling sync.Mutex

func tell(what interface{}) {
	line, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	telling.Lock()
	defer telling.Unlock()
	os.Stdout.Write(append(line, '\n'))
}

func fail(text string) {
	tell(map[string]interface{}{"failed": text})
	os.Exit(0)
}
