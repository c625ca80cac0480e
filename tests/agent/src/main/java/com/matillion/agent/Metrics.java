package com.matillion.agent;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.core.metrics.Info;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

/**
 * The agent's gauges under the names of two ages: those of /actuator/prometheus
 * (since 2026-02), and those of a server of its own at /metrics (since 2026-05),
 * whose /command/WORD is for tests.
 */
final class Metrics {
    private Metrics() {
    }

    /** app_active_task_count and its kin. */
    static void actuator(MeterRegistry registry, PrometheusRegistry infos, State state) {
        Gauge.builder("app.active.task.count", state, State::tasks).register(registry);
        Gauge.builder("app.active.request.count", state, s -> s.requests).register(registry);
        Gauge.builder("app.open.sessions.count", state, State::sessions).register(registry);
        Gauge.builder("app.agent.connected", state, s -> s.connected ? 1 : 0).register(registry);
        Gauge.builder("app.agent.status", state, s -> s.status.ordinal()).register(registry);
        info(infos, "app_version_info", "version", com.matillion.agent.Info.VERSION,
            "commit", com.matillion.agent.Info.COMMIT,
            "build_timestamp", com.matillion.agent.Info.BUILT);
    }

    /** matillion_agent_…_unit; the port that is listened to. */
    static int serve(int port, State state) throws IOException {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        unit(registry, "status", state, s -> s.status.ordinal());
        unit(registry, "connected", state, s -> s.connected ? 1 : 0);
        unit(registry, "task.running", state, State::tasks);
        unit(registry, "task.queued", state, s -> 0);
        unit(registry, "request.active", state, s -> s.requests);
        unit(registry, "open.sessions", state, State::sessions);
        Gauge.builder("matillion.agent.version", () -> 1).baseUnit("unit")
            .tag("version", com.matillion.agent.Info.VERSION).register(registry);
        Gauge.builder("matillion.agent.busyness.score", () -> 0.5).register(registry);
        info(registry.getPrometheusRegistry(), "target_info", "process_command_line",
            "java -Dmatillion.token=s3cret-of-the-command-line " + System.getProperty("java.class.path"));

        HttpServer server =
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "metrics");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/metrics", exchange -> {
            state.pass();
            answer(exchange, 200, registry.scrape());
        });
        server.createContext("/command/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            boolean known = state.command(path.substring(path.lastIndexOf('/') + 1));
            answer(exchange, known ? 200 : 404, "");
        });
        server.start();
        return server.getAddress().getPort();
    }

    private static void unit(MeterRegistry registry, String name, State state,
            java.util.function.ToDoubleFunction<State> value) {
        Gauge.builder("matillion.agent." + name, state, value).baseUnit("unit").register(registry);
    }

    private static void info(PrometheusRegistry registry, String name, String... labels) {
        String[] names = new String[labels.length / 2];
        String[] values = new String[labels.length / 2];
        for (int i = 0; i < labels.length; i++) {
            (i % 2 == 0 ? names : values)[i / 2] = labels[i];
        }
        Info.builder().name(name).help(name).labelNames(names).register(registry).setLabelValues(values);
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
