package com.matillion.agent;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import com.fasterxml.jackson.databind.ObjectMapper;

/** Calls that really fail, each in its own way. */
final class Failures {
    /** What a task of the agent throws around the cause. */
    static final class ConnectorException extends Exception {
        private static final long serialVersionUID = 1L;

        ConnectorException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    static final List<Callable<?>> ALL = List.of(
        () -> Integer.parseInt("12a4"),
        Failures::readMissingFile,
        Failures::connectToNobody,
        Failures::connectToNoDriver,
        () -> new ObjectMapper().readTree("{\"rows\": 12,"),
        () -> Map.of("region", "eu").get("country").length(),
        () -> new CompletableFuture<Void>().get(1, TimeUnit.MILLISECONDS),
        () -> CompletableFuture.supplyAsync(() -> 1 / (List.of().size())).get(),
        () -> new long[Integer.MAX_VALUE],
        Failures::failInCloseToo);

    private Failures() {
    }

    private static String readMissingFile() {
        try {
            return Files.readString(Path.of("/data/stage/orders.csv"));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot stage orders.csv", e);
        }
    }

    /** A port of this machine on which nobody listens any more. */
    private static Object connectToNobody() throws Exception {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
        }
        URI uri = URI.create("http://127.0.0.1:" + port + "/api/v2/query");
        try {
            return HTTP.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new ConnectorException("Connector \"salesforce\" gave up after 3 attempts", e);
        }
    }

    private static Object connectToNoDriver() throws ConnectorException {
        try {
            return DriverManager.getConnection("jdbc:warehouse://acme.example.com:443/SALES");
        } catch (SQLException e) {
            throw new ConnectorException("No session with the warehouse", e);
        }
    }

    private static Object failInCloseToo() throws Exception {
        try (AutoCloseable session = () -> "text".substring(9)) {
            return Integer.parseInt("12,5");
        }
    }
}
